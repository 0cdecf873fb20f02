/** Usage: from a run's cumulative reports to the totals of its issue and of the day. */
import type { RunId } from "../domain/Ids.ts"
import * as Usage from "../domain/Usage.ts"
import * as Gates from "./Gates.ts"
import type { Entry, LiveRun } from "./State.ts"
import * as Step from "./Step.ts"

const daysKept = 7

const addToDay = (step: Step.Step, usage: Usage.Usage): void => {
  const day = Gates.dayOf(step.at.wallTime)
  const total = Usage.add(Gates.usageToday(step.state, step.at.wallTime), usage)
  const others = step.state.usageByDay.filter((entry) => entry.day !== day)
  // Today comes first whatever its number: a clock that was ahead must not push it out.
  Step.patch(step, { usageByDay: [{ day, usage: total }, ...others].slice(0, daysKept) })
  // It may have closed the gate of the daily budget, whatever else this step does.
  step.timersChanged = true
}

/** Takes a report of what a live run used so far. Totals never go down, and nothing counts twice. */
export const add = (step: Step.Step, entry: Entry, run: LiveRun, reported: Usage.Usage): Entry => {
  const total = Usage.max(run.usage, reported)
  const more = Usage.beyond(total, run.usage)
  if (Usage.isZero(more)) return entry
  addToDay(step, more)
  return Step.update(step, entry, { usage: Usage.add(entry.usage, more), run: { ...run, usage: total } })
}

/** What a run used that it reported only after it was given up. */
export const settleLate = (
  step: Step.Step,
  entry: Entry,
  report: { readonly runId: RunId; readonly usage: Usage.Usage }
): Entry => {
  const { lastRun } = entry
  if (lastRun === null || lastRun.runId !== report.runId) return entry
  const total = Usage.max(lastRun.usage, report.usage)
  const more = Usage.beyond(total, lastRun.usage)
  if (Usage.isZero(more)) return entry
  addToDay(step, more)
  return Step.update(step, entry, { usage: Usage.add(entry.usage, more), lastRun: { ...lastRun, usage: total } })
}
