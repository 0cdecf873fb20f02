// What an issue that waits, and a worker that runs, occupy on the heap.
import type { Issue } from "@opensymphony/core/domain/Issue"
import * as Policy from "@opensymphony/core/domain/Policy"
import { Event } from "@opensymphony/core/scheduler/Event"
import { initial, type State } from "@opensymphony/core/scheduler/State"
import { transition } from "@opensymphony/core/scheduler/Transition"
import * as Effect from "effect/Effect"
import * as Board from "./Board.ts"
import * as Fleet from "./Fleet.ts"
import * as Garbage from "./Garbage.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const parkedIssues = 20_000
const runningWorkers = 1_000
const repetitions = 3
const targetBytes = 1_000

const poll = (state: State, issues: ReadonlyArray<Issue>, now: number): State =>
  transition(state, Event.CandidatesPolled({ batch: { issues, malformed: [] }, startedAt: now, startedAtWall: now }), {
    now,
    wallTime: now
  }).state

/** In a frame of its own, which keeps no answer alive once it is left. */
const pollAgain = (state: State, board: ReadonlyArray<Issue>, times: number): State => {
  let next = state
  for (let count = 0; count < times; count++) next = poll(next, Board.reread(board), 2_000 + count)
  return next
}

const paused = (): State =>
  transition(
    initial({ instance: "bench", policy: Policy.defaults }),
    Event.Started({ stored: { issues: [], fleet: { paused: "", usageByDay: [] } }, workspaces: [] }),
    { now: 0, wallTime: 0 }
  ).state

interface ParkedIssue {
  /** The issue as the adapter delivered it. */
  readonly record: number
  /** What the scheduler adds to it. */
  readonly scheduler: number
  /** What is added by ten more polls that bring equal issues. */
  readonly laterPolls: number
}

const parkedIssue = (): ParkedIssue => {
  const board = Board.board(parkedIssues)
  const empty = Garbage.heapUsed()
  let issues: ReadonlyArray<Issue> = Board.reread(board)
  const records = Garbage.heapUsed()
  let state = poll(paused(), issues, 1_000)
  issues = []
  const known = Garbage.heapUsed()
  state = pollAgain(state, board, 10)
  const later = Garbage.heapUsed()
  // What was measured must be alive until here.
  if (state.order.length + issues.length !== board.length) throw new Error("the scheduler lost issues")
  return {
    record: (records - empty) / parkedIssues,
    scheduler: (known - records) / parkedIssues,
    laterPolls: (later - known) / parkedIssues
  }
}

const runningWorker = Effect.gen(function* () {
  const fleet = yield* Fleet.make({ issues: Board.board(runningWorkers), slots: runningWorkers, paused: true })
  yield* Effect.sleep(100)
  const parked = Garbage.heapUsed()
  yield* fleet.orchestrator.resume
  yield* fleet.launched(runningWorkers)
  yield* Effect.sleep(100)
  return (Garbage.heapUsed() - parked) / runningWorkers
})

const figure = (name: string, samples: ReadonlyArray<number>, target: number | null): Figure => ({
  name,
  value: Statistics.median(samples),
  unit: "bytes",
  target
})

export const measure = async (): Promise<Section> => {
  const parked: Array<ParkedIssue> = []
  const running: Array<number> = []
  for (let index = 0; index < repetitions; index++) {
    parked.push(parkedIssue())
    running.push(await Effect.runPromise(Effect.scoped(runningWorker)))
  }
  return {
    title: "Heap",
    how: `after garbage collection; ${parkedIssues.toLocaleString("en-US")} parked issues, ${runningWorkers.toLocaleString("en-US")} running workers; median of ${repetitions}`,
    figures: [
      figure(
        "parked issue, the scheduler's part",
        parked.map(({ scheduler }) => scheduler),
        targetBytes
      ),
      figure(
        "parked issue, growth over ten unchanged polls",
        parked.map(({ laterPolls }) => laterPolls),
        null
      ),
      figure(
        "parked issue, the record with its text (about 800 characters)",
        parked.map(({ record }) => record),
        null
      ),
      figure("running worker, beyond its parked issue (driver, doubles and their logs)", running, null)
    ]
  }
}
