/**
 * The tracker that a simulated world's orchestrator reads: a {@link MemoryTracker} that shows what stands on the board,
 * behind a line on which answers come late, cut, repeated, out of order or not at all.
 */
import * as Effect from "effect/Effect"
import type { IssueId } from "../../../domain/Ids.ts"
import type { Issue } from "../../../domain/Issue.ts"
import type { Policy } from "../../../domain/Policy.ts"
import {
  type IssueBatch,
  TrackerAuthError,
  type TrackerBackendService,
  type TrackerError,
  TrackerInvalidResponse,
  TrackerRateLimited,
  TrackerTimeout,
  TrackerTransportError
} from "../../../ports/TrackerBackend.ts"
import type { TrackerProblem } from "../../../scheduler/Event.ts"
import * as MemoryTracker from "../../MemoryTracker.ts"
import type { Picture } from "../Board.ts"
import type { Prng } from "../Prng.ts"
import type { TrackerFaults } from "../TrackerFaults.ts"

export interface LiveTracker {
  readonly service: TrackerBackendService
  readonly announce: Effect.Effect<void>
}

export interface LiveTrackerOptions {
  readonly policy: Policy
  readonly faults: TrackerFaults
  readonly random: Prng
  readonly pulse: Effect.Effect<void>
}

const errorOf = ({ message, retryAtWallMs, tag }: TrackerProblem): TrackerError => {
  switch (tag) {
    case "TrackerRateLimited":
      return new TrackerRateLimited({ message, retryAtMs: retryAtWallMs })
    case "TrackerTimeout":
      return new TrackerTimeout({ message })
    case "TrackerInvalidResponse":
      return new TrackerInvalidResponse({ message })
    case "TrackerAuthError":
      return new TrackerAuthError({ message })
    default:
      return new TrackerTransportError({ message })
  }
}

/** Of the refusals, those that are a bug of the adapter. */
const defects = 0.1

export const make = Effect.fnUntraced(function* (options: LiveTrackerOptions): Effect.fn.Return<LiveTracker> {
  const { faults, policy, pulse, random } = options
  const memory = yield* MemoryTracker.make([], {
    activeStates: policy.activeStates,
    terminalStates: policy.terminalStates
  })
  let shown: Picture = new Map<IssueId, Issue>()

  const show = Effect.fnUntraced(function* (picture: Picture) {
    if (picture === shown) return
    for (const id of shown.keys()) if (!picture.has(id)) yield* memory.remove(id)
    for (const issue of picture.values()) if (shown.get(issue.id) !== issue) yield* memory.put(issue)
    shown = picture
  })

  const refuse = (problem: TrackerProblem): Effect.Effect<never, TrackerError> =>
    random.chance(defects) ? Effect.die(new Error(problem.message)) : Effect.fail(errorOf(problem))

  /** What is read is what the board shows at some moment of the request. */
  const request = (read: Effect.Effect<IssueBatch, TrackerError>): Effect.Effect<IssueBatch, TrackerError> =>
    Effect.gen(function* () {
      yield* pulse
      if (faults.hangs()) return yield* Effect.never
      const takes = faults.latency()
      const seenAfter = random.int(0, takes)
      yield* Effect.sleep(seenAfter)
      const refused = faults.refusal()
      if (refused !== null) return yield* Effect.andThen(Effect.sleep(takes - seenAfter), refuse(refused))
      const { older, picture } = faults.look()
      yield* show(picture)
      const batch = faults.distort((yield* read).issues, older)
      yield* Effect.sleep(takes - seenAfter)
      return batch
    })

  const { candidateIssues, changes, issuesByIds, terminalIssues } = memory.service
  return {
    announce: memory.announce,
    service: {
      candidateIssues: request(candidateIssues),
      terminalIssues: request(terminalIssues),
      issuesByIds: (ids) => request(issuesByIds(ids)),
      changes
    }
  }
})
