/**
 * From what workers report to events. Signs of life are conflated per run, so that no agent can flood the mailbox: a
 * dropped one makes a run seem silent at most a moment longer than it was.
 */
import * as Effect from "effect/Effect"
import type { RunId } from "../domain/Ids.ts"
import { WorkerUpdate } from "../ports/WorkerBackend.ts"
import { Event } from "../scheduler/Event.ts"
import { instant } from "./Instants.ts"

const activityEveryMs = 100

export interface Updates {
  /** The event that an update stands for; null when it is conflated away. */
  readonly eventOf: (update: WorkerUpdate) => Effect.Effect<Event | null>
}

export const make = (): Updates => {
  const lastActivity = new Map<RunId, number>()
  return {
    eventOf: (update) =>
      WorkerUpdate.$match(update, {
        Activity: ({ runId, summary }) =>
          Effect.map(instant, ({ now }) => {
            const last = lastActivity.get(runId)
            if (last !== undefined && now - last < activityEveryMs) return null
            lastActivity.set(runId, now)
            return Event.Activity({ runId, summary })
          }),
        TurnStarted: ({ runId, turn }) => Effect.succeed(Event.TurnStarted({ runId, turn })),
        TurnCompleted: ({ runId, turn, summary }) => Effect.succeed(Event.TurnCompleted({ runId, turn, summary })),
        SessionUpdated: ({ runId, session, usage }) => Effect.succeed(Event.SessionUpdated({ runId, session, usage })),
        Finished: ({ runId, outcome, usage }) =>
          Effect.sync(() => {
            lastActivity.delete(runId)
            return Event.RunFinished({ runId, outcome, usage })
          })
      })
  }
}
