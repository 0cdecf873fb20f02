// Sees the board, every agent and every decision, and writes down what must not happen.
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import type { PreparedRun } from "@opensymphony/core/domain/Run"
import type { ObservedStep } from "@opensymphony/core/orchestrator/StepObserver"
import * as Fitness from "./Fitness.ts"

export type Rule =
  | "two agents for one issue"
  | "two agents in one workspace"
  | "more agents than slots"
  | "a start of what was unfit"
  | "an agent that was not stopped"
  | "a slot left idle"
  | "a workspace that changed"
  | "a run that failed"
  | "a failure that counts"
  | "a hold"

export interface WitnessOptions {
  readonly linear: FakeLinear.FakeLinear
  readonly now: () => number
  readonly slots: number
  /** For how long an issue may have been unfit when an agent starts. */
  readonly startSlackMs: number
  /** How long an agent may go on once two reads have shown that its issue is not for it any more. */
  readonly stopSlackMs: number
  /** How long an issue may wait beside a free slot while Linear answers. */
  readonly idleSlackMs: number
}

export interface LiveRun extends PreparedRun {
  readonly startedAtMs: number
}

export interface Witness {
  readonly violations: ReadonlyMap<Rule, ReadonlyArray<string>>
  /** The runs whose agents are there now. */
  readonly live: () => ReadonlyArray<LiveRun>
  readonly began: (run: PreparedRun) => void
  readonly ended: (run: PreparedRun) => void
  /** Looks at the board. */
  readonly look: () => void
  readonly observe: (step: ObservedStep) => void
  /** How often an issue was moved to Done, by id. */
  readonly completions: ReadonlyMap<string, number>
  /** Every workspace that agents had for an issue, in order, by id. */
  readonly workspaces: ReadonlyMap<string, ReadonlyArray<{ readonly path: string; readonly identifier: string }>>
  /** Why runs were told to stop. */
  readonly stops: ReadonlyArray<string>
  /**
   * The most agents at a time, for how long at most an issue was unfit when an agent started, and for how long at most one
   * waited beside a free slot while Linear answered.
   */
  readonly extremes: () => { readonly agents: number; readonly unfitMs: number; readonly idleMs: number }
}

interface Sight {
  readonly state: string | null
  readonly unfitSinceMs: number | null
  readonly fitSinceMs: number | null
  readonly strandedSinceMs: number | null
  /** Reads that could have shown that the issue is not for its agent any more. */
  readonly reads: number
  readonly seenAtMs: number
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`
/** How often the board is looked at. */
const lookEveryMs = 500
/** A run that people's deeds ended was cancelled. */
const goodEnds: ReadonlyArray<string> = ["Succeeded", "Cancelled"]

export function make(options: WitnessOptions): Witness {
  const { idleSlackMs, linear, now, slots, startSlackMs, stopSlackMs } = options
  const project = linear.project.slugId
  const violations = new Map<Rule, Array<string>>()
  const live = new Map<string, LiveRun>()
  const sights = new Map<string, Sight>()
  const completions = new Map<string, number>()
  const workspaces = new Map<string, Array<{ readonly path: string; readonly identifier: string }>>()
  const reported = new Set<string>()
  const busyUntilMs = new Map<string, number>()
  const stops: Array<string> = []
  let lookedAtMs = 0
  let agents = 0
  let unfitMs = 0
  let idleMs = 0
  /** Since when there is a free slot, and since when Linear answers; Infinity while not. */
  let slotSinceMs = Infinity
  let wellSinceMs = Infinity

  const violated = (rule: Rule, text: string) => {
    const told = violations.get(rule) ?? []
    told.push(text)
    violations.set(rule, told)
  }

  const seen = (id: string, issue: Fitness.IssueView | undefined, board: ReadonlyArray<Fitness.IssueView>) => {
    const at = now()
    const before = sights.get(id)
    const unfit = Fitness.reasonNotToStart(issue, board, project)
    const stranded = Fitness.reasonToStop(issue, project)
    const state = issue?.state ?? null
    if (state === "Done" && before !== undefined && before.state !== "Done") {
      completions.set(id, (completions.get(id) ?? 0) + 1)
    }
    const goesOn = stranded !== null && before !== undefined && before.strandedSinceMs !== null
    sights.set(id, {
      state,
      unfitSinceMs: unfit === null ? null : (before?.unfitSinceMs ?? at),
      fitSinceMs: unfit === null ? (before?.fitSinceMs ?? at) : null,
      strandedSinceMs: stranded === null ? null : (before?.strandedSinceMs ?? at),
      reads: goesOn ? before.reads : 0,
      seenAtMs: goesOn ? before.seenAtMs : Infinity
    })
  }

  const checkStops = () => {
    for (const { issue, runId } of live.values()) {
      const sight = sights.get(issue.id)
      if (sight === undefined || now() - sight.seenAtMs <= stopSlackMs || reported.has(runId)) continue
      reported.add(runId)
      violated(
        "an agent that was not stopped",
        `${issue.identifier}, ${seconds(now() - sight.seenAtMs)} after it was seen`
      )
    }
  }

  const checkSlots = () => {
    slotSinceMs = live.size < slots ? Math.min(slotSinceMs, now()) : Infinity
    for (const { issue } of live.values()) busyUntilMs.set(issue.id, now())
    for (const [id, { fitSinceMs }] of sights) {
      if (fitSinceMs === null) continue
      const forMs = now() - Math.max(fitSinceMs, slotSinceMs, wellSinceMs, busyUntilMs.get(id) ?? 0)
      idleMs = Math.max(idleMs, forMs)
      if (forMs <= idleSlackMs || reported.has(id)) continue
      reported.add(id)
      violated("a slot left idle", `${linear.issue(id).identifier} waits for ${seconds(forMs)}`)
    }
  }

  const look = () => {
    if (now() - lookedAtMs < lookEveryMs) return
    lookedAtMs = now()
    const board = linear.issues()
    const present = new Map(board.map((issue) => [issue.id, issue]))
    for (const id of new Set([...present.keys(), ...sights.keys()])) seen(id, present.get(id), board)
    checkStops()
    checkSlots()
  }

  const began = (run: PreparedRun) => {
    const { issue, runId, workspace } = run
    const what = `${issue.identifier}, run ${runId}`
    for (const other of live.values()) {
      if (other.issue.id === issue.id) violated("two agents for one issue", `${what} beside ${other.runId}`)
      if (other.workspace.path === workspace.path)
        violated("two agents in one workspace", `${what} beside ${other.runId}`)
    }
    live.set(runId, { ...run, startedAtMs: now() })
    agents = Math.max(agents, live.size)
    if (live.size > slots) violated("more agents than slots", `${live.size} with ${what}`)
    const had = workspaces.get(issue.id) ?? []
    if (had.some(({ path }) => path !== workspace.path)) {
      violated("a workspace that changed", `${what} in ${workspace.path}, before in ${had[0]?.path}`)
    }
    workspaces.set(issue.id, [...had, { path: workspace.path, identifier: issue.identifier }])
    const since = sights.get(issue.id)?.unfitSinceMs ?? null
    if (since === null) return
    const forMs = now() - since
    unfitMs = Math.max(unfitMs, forMs)
    const board = linear.issues()
    const reason = Fitness.reasonNotToStart(
      board.find(({ id }) => id === issue.id),
      board,
      project
    )
    if (forMs > startSlackMs && reason !== null) {
      violated("a start of what was unfit", `${what}: ${reason}, for ${seconds(forMs)}`)
    }
  }

  const observe = ({ after, at, event, records }: ObservedStep) => {
    wellSinceMs = after.tracker.error === null ? Math.min(wellSinceMs, at.wallTime) : Infinity
    if (event._tag === "IssuesRead") {
      for (const id of event.ids) {
        const sight = sights.get(id)
        if (sight === undefined || sight.strandedSinceMs === null || event.startedAt < sight.strandedSinceMs) continue
        const reads = sight.reads + 1
        sights.set(id, { ...sight, reads, seenAtMs: reads === 2 ? now() : sight.seenAtMs })
      }
    }
    for (const record of records) {
      if (record._tag === "HoldPlaced") violated("a hold", `${record.identifier}: ${JSON.stringify(record.hold)}`)
      if (record._tag === "StopOrdered") stops.push(record.reason)
      if (record._tag === "RunEnded") {
        const { identifier, outcome } = record
        if (!goodEnds.includes(outcome._tag)) violated("a run that failed", `${identifier}: ${JSON.stringify(outcome)}`)
      }
      if (record._tag === "IssueSaved" && record.projection.counters.failures > 0) {
        violated("a failure that counts", `${record.projection.identifier}: ${record.projection.retry?.reason}`)
      }
    }
  }

  return {
    violations,
    live: () => [...live.values()],
    began,
    ended: ({ runId }) => void live.delete(runId),
    look,
    observe,
    completions,
    workspaces,
    stops,
    extremes: () => ({ agents, unfitMs, idleMs })
  }
}
