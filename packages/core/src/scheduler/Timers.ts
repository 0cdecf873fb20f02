/** When the scheduler wants to be woken: the earliest instant at which something is due by itself. */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { IssueId } from "../domain/Ids.ts"
import { Command } from "./Command.ts"
import * as Gates from "./Gates.ts"
import * as Running from "./Running.ts"
import * as Step from "./Step.ts"

/** When something about this issue is due next. What is due already waits for something else than time. */
const dueAtOf = (step: Step.Step, id: IssueId): number => {
  const entry = Step.entryOf(step, id)
  if (entry === undefined) return Number.POSITIVE_INFINITY
  const { run, retry, removal } = entry
  const { now } = step.at
  return Math.min(
    run === null ? Number.POSITIVE_INFINITY : Running.deadlineOf(step, run),
    retry === null || retry.dueAt <= now ? Number.POSITIVE_INFINITY : retry.dueAt,
    removal === null || removal._tag === "Removing" || removal.dueAt <= now ? Number.POSITIVE_INFINITY : removal.dueAt
  )
}

/** Looks at every issue only when the bound has passed or a policy moved the deadlines, else at those of this step. */
const issuesDueAt = (step: Step.Step): number => {
  const { live, queued, removing } = step.state
  const isStale = step.at.now >= step.state.issuesDueAt || step.before.policy !== step.state.policy
  const groups = isStale ? [HashMap.values(live), queued, removing] : [step.timed]
  let at = isStale ? Number.POSITIVE_INFINITY : step.state.issuesDueAt
  for (const ids of groups) for (const id of ids) at = Math.min(at, dueAtOf(step, id))
  return at
}

const next = (step: Step.Step): number => {
  const { poll, live, tracker, demand, refresh } = step.state
  const { now } = step.at
  const pollAt = poll.inFlight ? poll.refreshAt : poll.dueAt
  let at = poll.inFlight && HashMap.isEmpty(live) ? Number.POSITIVE_INFINITY : Math.max(pollAt, tracker.retryAt)
  const consider = (instant: number) => {
    if (instant < at) at = instant
  }
  for (const lane of [demand, refresh]) {
    if (lane.inFlight === null && !HashSet.isEmpty(lane.wanted)) consider(Math.max(now, tracker.retryAt))
  }
  consider(step.state.issuesDueAt)
  consider(Gates.nextOpening(step.state, step.at) ?? Number.POSITIVE_INFINITY)
  return at
}

/** Asks for the next wake-up when it differs from the one asked for. Too early is harmless, and put right then. */
export const schedule = (step: Step.Step): void => {
  if (!step.timersChanged || !step.state.started) return
  Step.patch(step, { issuesDueAt: issuesDueAt(step) })
  const at = next(step)
  const wakeAt = Number.isFinite(at) ? at : null
  if (wakeAt === step.state.wakeAt) return
  Step.patch(step, { wakeAt })
  Step.command(step, Command.WakeAt({ at: wakeAt }))
}
