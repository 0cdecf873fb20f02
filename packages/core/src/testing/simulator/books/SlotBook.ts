/**
 * Since when something could have started: no gate that may be closed, a slot that is neither taken nor promised to an
 * issue whose read is under way, and a tracker that can be asked.
 */
import * as HashMap from "effect/HashMap"
import type { IssueId } from "../../../domain/Ids.ts"
import { stateKey } from "../../../domain/Issue.ts"
import type { Event } from "../../../scheduler/Event.ts"
import type { Instant, State } from "../../../scheduler/State.ts"
import type { GateBook } from "./GateBook.ts"

export interface SlotBook {
  /** The newest instant up to `now` at which nothing could have started, whatever the issue. */
  readonly closedUntil: (now: number) => number
  /** The newest instant up to `now` at which an issue in this state found no slot. */
  readonly stateFullUntil: (key: string, now: number) => number
  /** Since when the tracker could be asked for what starts wait for. */
  readonly askableSince: () => number
  readonly noteEvent: (event: Event, now: number) => void
  readonly noteStep: (event: Event, after: State, at: Instant) => void
}

/** Reads on which starts depend: of issues that have no live run. */
const promised = (state: State): number => {
  let count = 0
  const isStart = (id: IssueId): boolean => {
    const entry = HashMap.get(state.issues, id)
    return entry._tag === "Some" && entry.value.run === null
  }
  for (const id of state.demand.inFlight ?? []) if (isStart(id)) count++
  for (const id of state.demand.wanted) if (isStart(id)) count++
  return count
}

export const make = (gates: GateBook): SlotBook => {
  let closedAt = Number.NEGATIVE_INFINITY
  let isClosed = true
  let askableSince = Number.NEGATIVE_INFINITY
  const fullAt = new Map<string, number>()
  const full = new Set<string>()

  const noteStates = (after: State, pending: number, now: number): void => {
    for (const key of full) fullAt.set(key, now)
    full.clear()
    const live = new Map<string, number>()
    for (const id of HashMap.values(after.live)) {
      const entry = HashMap.get(after.issues, id)
      if (entry._tag === "None") continue
      const key = stateKey(entry.value.issue.state)
      live.set(key, (live.get(key) ?? 0) + 1)
    }
    const limits = after.policy.maxConcurrentAgentsByState
    for (const key in limits) {
      if ((live.get(key) ?? 0) + pending < (limits[key] ?? 0)) continue
      full.add(key)
      fullAt.set(key, now)
    }
  }

  return {
    closedUntil: (now) => (isClosed ? now : closedAt),
    stateFullUntil: (key, now) => (full.has(key) ? now : (fullAt.get(key) ?? Number.NEGATIVE_INFINITY)),
    askableSince: () => askableSince,
    noteEvent: (event, now) => {
      if (event._tag === "Started") {
        closedAt = now
        askableSince = now
        fullAt.clear()
        full.clear()
      } else if (event._tag === "PolicyChanged") {
        closedAt = now
        isClosed = true
      }
    },
    noteStep: (event, after, at) => {
      if ((event._tag === "IssuesRead" || event._tag === "IssuesReadFailed") && event.lane === "demand") {
        askableSince = at.now
      }
      const { policy } = after
      const pending = promised(after)
      const wasClosed = isClosed
      isClosed = HashMap.size(after.live) + pending >= policy.maxConcurrentAgents || gates.mayBeClosed(at, policy)
      if (isClosed || wasClosed) closedAt = at.now
      for (const _ in policy.maxConcurrentAgentsByState) {
        noteStates(after, pending, at.now)
        break
      }
    }
  }
}
