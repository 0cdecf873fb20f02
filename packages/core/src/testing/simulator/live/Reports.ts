/** What the agents of a simulated world have reported and done, to be compared with what the scheduler heard of it. */
import type { RunId } from "../../../domain/Ids.ts"
import * as Usage from "../../../domain/Usage.ts"
import type { TurnResult } from "../../../ports/AgentRuntime.ts"

export interface RunReports {
  readonly runId: RunId
  /** Turns that the agent completed. */
  completed: number
  /** How its last turn came to rest; null while it did not, or when it broke off. */
  result: TurnResult | null
  /** A turn is, or was, in its hands. */
  hasBegun: boolean
  wasStopped: boolean
  /** The most that it has reported to have used. */
  usage: Usage.Usage
  /** When its session was given back, in world time; null while it is open. */
  leftAt: number | null
}

export interface Reports {
  readonly runs: Map<RunId, RunReports>
  readonly opened: (runId: RunId) => void
  readonly turnBegan: (runId: RunId) => void
  readonly turnEnded: (runId: RunId, result: TurnResult) => void
  readonly used: (runId: RunId, usage: Usage.Usage) => void
  readonly stopped: (runId: RunId) => void
  readonly left: (runId: RunId) => void
  /** A new process begins and hears nothing of the agents of the last one. */
  readonly clear: () => void
}

export const make = (time: () => number): Reports => {
  const runs = new Map<RunId, RunReports>()
  const of = (runId: RunId, note: (page: RunReports) => void): void => {
    const page = runs.get(runId)
    if (page !== undefined) note(page)
  }
  return {
    runs,
    opened: (runId) =>
      runs.set(runId, {
        runId,
        completed: 0,
        result: null,
        hasBegun: false,
        wasStopped: false,
        usage: Usage.zero,
        leftAt: null
      }),
    turnBegan: (runId) =>
      of(runId, (page) => {
        page.hasBegun = true
        page.result = null
      }),
    turnEnded: (runId, result) =>
      of(runId, (page) => {
        page.result = result
        if (result._tag === "Completed") page.completed++
      }),
    used: (runId, usage) =>
      of(runId, (page) => {
        page.usage = Usage.max(page.usage, usage)
      }),
    stopped: (runId) =>
      of(runId, (page) => {
        page.wasStopped = true
      }),
    left: (runId) =>
      of(runId, (page) => {
        page.leftAt = time()
      }),
    clear: () => runs.clear()
  }
}
