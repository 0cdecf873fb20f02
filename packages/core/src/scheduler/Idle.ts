/**
 * Whether there is nothing left to do without somebody's help: what keeps the scheduler busy, in words. Blocked, held
 * and inactive issues do not; neither does an operator's pause.
 */
import * as HashMap from "effect/HashMap"
import * as Decision from "./Decision.ts"
import { decide } from "./Eligibility.ts"
import * as Gates from "./Gates.ts"
import { type ClosedGate, type Entry, type Instant, phaseOf, type State } from "./State.ts"

/** A workspace that could not be removed this often no longer keeps anybody waiting; it is still tried again. */
const removalTries = 3

const isBeingRemoved = (entry: Entry): boolean =>
  entry.removal?._tag === "Removing" || (entry.removal?._tag === "Waiting" && entry.removal.attempts < removalTries)

const busy = (state: State, entry: Entry, at: Instant, gates: ReadonlyArray<ClosedGate>): string | null => {
  if (entry.run !== null) return phaseOf(entry)
  if (isBeingRemoved(entry)) return "its workspace is being removed"
  const decision = decide(state, entry, at, gates)
  switch (decision._tag) {
    case "Eligible":
    case "AwaitingRead":
    case "Full":
    case "StateFull":
    case "RetryNotDue":
    case "RemovingWorkspace":
      return Decision.render(decision)
    case "Gated":
      return decision.gates.every((gate) => gate.opensByItself) ? Decision.render(decision) : null
    default:
      return null
  }
}

/** One line per thing that is still waited for; empty when idle. */
export const waitingFor = (state: State, at: Instant): ReadonlyArray<string> => {
  if (!state.started || state.poll.answeredAt === Number.NEGATIVE_INFINITY) return ["the first answer of the tracker"]
  const gates = Gates.closed(state, at)
  const lines: Array<string> = []
  for (const entry of HashMap.values(state.issues)) {
    const reason = busy(state, entry, at, gates)
    if (reason !== null) lines.push(`${entry.issue.identifier}: ${reason}`)
  }
  if (lines.length > 0) return lines.sort()
  if (state.poll.answeredAt < state.lastRunEndedAt) return ["a poll that began after the last run ended"]
  if (state.poll.inFlight || state.poll.dueAt <= at.now) return ["the poll under way"]
  return state.refresh.inFlight === null ? [] : ["the reading of known issues"]
}
