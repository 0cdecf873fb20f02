/**
 * Rule 12: a snapshot never contradicts the state it was made from, nor the state itself; and memory grows with work,
 * not with time. A whole snapshot is made every few hundred steps, sizes are looked at in all.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Snapshot from "../../../scheduler/Snapshot.ts"
import { type Entry, phaseOf, type State } from "../../../scheduler/State.ts"
import type { Checker, Moment, Report } from "../Checker.ts"

const everySteps = 256
/** Bounds of what the state keeps beside its issues. */
const malformedMost = 100
const daysMost = 7
const streakMost = 5

const checkSnapshot = ({ after, at }: Moment, report: Report): void => {
  const snapshot = Snapshot.make(after, at)
  const counts: Record<string, number> = {}
  for (const view of snapshot.issues) {
    counts[view.phase] = (counts[view.phase] ?? 0) + 1
    const found = HashMap.get(after.issues, view.id)
    if (found._tag === "None") report("is shown and not known", view.id)
    else if (phaseOf(found.value) !== view.phase || found.value.run?.runId !== view.run?.runId) {
      report(`is shown as ${view.phase} and is ${phaseOf(found.value)}`, view.id)
    }
  }
  if (snapshot.issues.length !== HashMap.size(after.issues)) report("a snapshot leaves issues out")
  for (const [phase, count] of Object.entries(snapshot.counts)) {
    if ((counts[phase] ?? 0) !== count) report(`a snapshot counts ${count} as ${phase} and shows ${counts[phase] ?? 0}`)
  }
  if (snapshot.slots.taken !== HashMap.size(after.live)) report("a snapshot counts other slots than are taken")
}

/** The indexes over the issues say what the issues say. */
const checkEntry = (state: State, entry: Entry, report: Report): void => {
  const { id } = entry.issue
  const { hold, listed, released, removal, retry, run, workspace } = entry
  if (HashSet.has(state.queued, id) !== (retry !== null)) report("the index of queued runs is wrong", id)
  if (HashSet.has(state.held, id) !== (hold !== null)) report("the index of held issues is wrong", id)
  if (HashSet.has(state.removing, id) !== (removal !== null)) report("the index of removals is wrong", id)
  if (run !== null && HashMap.get(state.live, run.runId)._tag === "None") report("the index of live runs is wrong", id)
  if (run !== null && retry !== null) report("has a live run and a queued one", id)
  const isNeeded = run !== null || retry !== null || hold !== null || workspace !== null || removal !== null || listed
  // Others may still name what was read just now; it goes with the next poll.
  const isFading = HashSet.has(state.fading, id)
  if (released !== null && !isNeeded && !isFading) report("is kept although nothing of it is left to do", id)
}

const checkIndexes = ({ after }: Moment, report: Report): void => {
  let live = 0
  for (const entry of HashMap.values(after.issues)) {
    checkEntry(after, entry, report)
    if (entry.run !== null) live++
  }
  if (live !== HashMap.size(after.live)) report("the index of live runs keeps runs that are none")
  const places = new Set<string>()
  for (const key of after.order) {
    const found = HashMap.get(after.issues, key.id)
    if (found._tag === "None" || found.value.key !== key) report("the order of starts is out of date", key.id)
    if (places.has(key.id)) report("stands twice in the order of starts", key.id)
    places.add(key.id)
  }
  for (const entry of HashMap.values(after.issues)) {
    const { hold, issue, listed, released, retry, run } = entry
    const isWaiting = run === null && hold === null && released === null && (listed || retry !== null)
    if (isWaiting && !places.has(issue.id)) report("is missing in the order of starts", issue.id)
  }
}

const checkSizes = ({ after }: Moment, report: Report): void => {
  if (after.malformed.length > malformedMost) report(`${after.malformed.length} unreadable records are kept`)
  if (after.usageByDay.length > daysMost) report(`the usage of ${after.usageByDay.length} days is kept`)
  if (after.gates.failingStreak.length >= streakMost) report("the streak of failing issues grows beyond its end")
}

export const make = (): Checker => {
  let steps = 0
  return {
    rule: 12,
    name: "TrueSnapshots",
    onStep: (moment, report) => {
      checkSizes(moment, report)
      if (++steps % everySteps !== 0) return
      checkSnapshot(moment, report)
      checkIndexes(moment, report)
    }
  }
}
