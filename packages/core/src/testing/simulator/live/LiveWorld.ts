/** What the live orchestrator of a simulated world works with: the doubles, over one board and one truth. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { RunId } from "../../../domain/Ids.ts"
import type { JournalRecord } from "../../../domain/Journal.ts"
import type { Policy } from "../../../domain/Policy.ts"
import type { Backends } from "../../../orchestrator/Configuration.ts"
import * as MemoryRunStore from "../../../orchestrator/MemoryRunStore.ts"
import { AgentRuntime } from "../../../ports/AgentRuntime.ts"
import type { RunStoreService } from "../../../ports/RunStore.ts"
import { WorkerBackend } from "../../../ports/WorkerBackend.ts"
import { WorkspaceBackend } from "../../../ports/WorkspaceBackend.ts"
import * as SessionWorkers from "../../../session/SessionWorkers.ts"
import * as MemoryWorkspaces from "../../MemoryWorkspaces.ts"
import * as Board from "../Board.ts"
import * as People from "../People.ts"
import type { Checker } from "../Checker.ts"
import * as Inheritance from "../Inheritance.ts"
import * as RuntimeModel from "../RuntimeModel.ts"
import * as TrackerFaults from "../TrackerFaults.ts"
import * as Truth from "../Truth.ts"
import * as WorkspaceFaults from "../WorkspaceFaults.ts"
import type { WorldOptions } from "../World.ts"
import * as AnsweredCommands from "./AnsweredCommands.ts"
import * as FaithfulReports from "./FaithfulReports.ts"
import type { Lies } from "./Lies.ts"
import * as LiveAgents from "./LiveAgents.ts"
import * as LiveStore from "./LiveStore.ts"
import * as LiveTracker from "./LiveTracker.ts"
import * as LiveWorkspaces from "./LiveWorkspaces.ts"
import * as Reports from "./Reports.ts"
import * as Witness from "./Witness.ts"

/** One set of adapters, and what can be done to them from outside. */
export interface Equipment {
  readonly backends: Backends
  readonly announce: Effect.Effect<void>
  readonly agents: LiveAgents.LiveAgents
}

export interface LiveWorld {
  readonly truth: Truth.Truth
  readonly board: Board.Board
  readonly reports: Reports.Reports
  readonly witness: Witness.Witness
  readonly checkers: ReadonlyArray<Checker>
  /** An orchestrator has closed everything that it had, or so it says. */
  readonly noteLeft: () => void
  /** The adapters that a configuration with this policy opens; `pulse` is that of the process. */
  readonly open: (policy: Policy, pulse: Effect.Effect<void>) => Effect.Effect<Equipment, never, Scope.Scope>
  readonly store: (pulse: Effect.Effect<void>, kept: (records: ReadonlyArray<JournalRecord>) => void) => RunStoreService
}

export const make = ({ random, setPolicy, stage, view }: WorldOptions, lies: Lies = {}): LiveWorld => {
  const truth = Truth.make()
  const board = Board.make(() => Math.floor(stage.at().wallTime))
  const reports = Reports.make(stage.time)
  const witness = Witness.make(truth)
  const memory = Effect.runSync(MemoryWorkspaces.make())
  const kept = MemoryRunStore.make()
  const claims = new Set<RunId>()
  const begin = (body: Truth.Body): void => {
    const { issueId, runId } = body
    if (!claims.has(runId)) {
      const text = `${runId} begins before its claim is kept: a crash now would forget it`
      truth.accidents.push({ kind: "unkept", text, issueId })
    }
    truth.begin(body)
  }
  const chance = {
    tracker: random.split("tracker"),
    workspaces: random.split("workspaces"),
    agents: random.split("agents"),
    store: random.split("store")
  }
  const trackerFaults = TrackerFaults.make(stage, board, chance.tracker)
  const workspaceFaults = WorkspaceFaults.make(stage, chance.workspaces)
  const model = RuntimeModel.make(stage, random.split("runtime"))
  People.start({ stage, truth, board, random: random.split("people"), view, setPolicy })
  Inheritance.leave({ stage, truth, board, random: random.split("inheritance") })
  for (const id of truth.rooms.keys()) {
    const issue = board.picture().get(id)
    if (issue !== undefined) Effect.runSync(Effect.orDie(memory.service.ensureWorkspace(issue)))
  }

  const open = Effect.fnUntraced(function* (policy: Policy, pulse: Effect.Effect<void>) {
    const tracker = yield* LiveTracker.make({ policy, faults: trackerFaults, random: chance.tracker, pulse })
    const workspaces = LiveWorkspaces.make({
      stage,
      truth,
      random: chance.workspaces,
      faults: workspaceFaults,
      memory,
      runOf: witness.runOf,
      begin,
      pulse
    })
    const agents = yield* LiveAgents.make({
      stage,
      truth,
      board,
      random: chance.agents,
      model,
      workspaces: memory,
      reports,
      begin,
      pulse,
      lies
    })
    const layer = SessionWorkers.layer({
      renderPrompt: ({ issue }) => Effect.succeed(`${issue.title}\n\n${issue.description ?? ""}`),
      stopTimeoutMs: policy.stopTimeoutMs
    }).pipe(Layer.provide([Layer.succeed(AgentRuntime, agents.service), Layer.succeed(WorkspaceBackend, workspaces)]))
    const workers = Context.get(yield* Layer.build(layer), WorkerBackend)
    const backends: Backends = { tracker: tracker.service, workspaces, workers, health: agents.service.health }
    return { backends, announce: tracker.announce, agents }
  })

  const noteLeft = (): void => {
    for (const { leftAt, runId } of reports.runs.values()) {
      if (leftAt !== null) continue
      const issueId = truth.bodies.get(runId)?.issueId ?? null
      truth.accidents.push({
        kind: "left",
        text: `the orchestrator has ended and the session of ${runId} is open`,
        issueId
      })
    }
  }

  return {
    truth,
    board,
    noteLeft,
    reports,
    witness,
    checkers: [FaithfulReports.make(reports), AnsweredCommands.make()],
    open,
    store: (pulse, tell) =>
      LiveStore.make({ stage, truth, random: chance.store, memory: kept, claims, kept: tell, pulse, lies })
  }
}
