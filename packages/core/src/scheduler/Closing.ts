/** The last steps of a run: its workspace is closed, then its issue is read once more. */
import type { RunId } from "../domain/Ids.ts"
import * as Ending from "./Ending.ts"
import * as Reading from "./Reading.ts"
import * as Step from "./Step.ts"

/**
 * The workspace is closed. What follows depends on where the issue stands now, so it is read once more, unless the
 * tracker is to be left alone (`Reading.giveUpClosing`).
 */
export const closed = (
  step: Step.Step,
  event: { readonly runId: RunId; readonly fingerprint: string | null }
): void => {
  const live = Step.liveOf(step, event.runId)
  if (live === undefined) return Ending.closedLate(step, event.runId)
  if (live.run.stage !== "finishing" || live.run.closing !== null) return Step.ignore(step)
  const closing = { at: step.at.now, fingerprint: event.fingerprint }
  const entry = Step.updateRun(step, live.entry, live.run, { closing })
  Reading.want(step, entry.issue.id)
}
