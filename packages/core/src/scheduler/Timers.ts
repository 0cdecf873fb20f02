/** When the scheduler wants to be woken: the earliest instant at which something is due by itself. */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import { Command } from "./Command.ts"
import * as Gates from "./Gates.ts"
import * as Running from "./Running.ts"
import * as Step from "./Step.ts"

const next = (step: Step.Step): number => {
  const { poll, tracker, live, queued, removing, demand, refresh } = step.state
  const { now } = step.at
  let at = poll.inFlight ? Number.POSITIVE_INFINITY : Math.max(poll.dueAt, tracker.retryAt)
  const consider = (instant: number) => {
    if (instant < at) at = instant
  }
  for (const lane of [demand, refresh]) {
    if (lane.inFlight === null && !HashSet.isEmpty(lane.wanted)) consider(Math.max(now, tracker.retryAt))
  }
  for (const id of HashMap.values(live)) {
    const run = Step.entryOf(step, id)?.run
    if (run) consider(Running.deadlineOf(step, run))
  }
  for (const id of queued) {
    const dueAt = Step.entryOf(step, id)?.retry?.dueAt
    if (dueAt !== undefined && dueAt > now) consider(dueAt)
  }
  for (const id of removing) {
    const removal = Step.entryOf(step, id)?.removal
    if (removal && removal._tag !== "Removing" && removal.dueAt > now) consider(removal.dueAt)
  }
  consider(Gates.nextOpening(step.state, step.at) ?? Number.POSITIVE_INFINITY)
  return at
}

/** Asks for the next wake-up when it differs from the one asked for. */
export const schedule = (step: Step.Step): void => {
  if (!step.timersChanged || !step.state.started) return
  const at = next(step)
  const wakeAt = Number.isFinite(at) ? at : null
  if (wakeAt === step.state.wakeAt) return
  Step.patch(step, { wakeAt })
  Step.command(step, Command.WakeAt({ at: wakeAt }))
}
