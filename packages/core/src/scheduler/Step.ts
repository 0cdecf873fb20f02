/**
 * The working copy of one transition. It lives from the event to the result and is confined to it: the functions of
 * this folder change the step, `transition` hands out immutable state. Putting an entry keeps every index in order,
 * so no other code has to think of them.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { IssueId, RunId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import { Command } from "./Command.ts"
import * as Order from "./Order.ts"
import type { Entry, Gates, Instant, LiveRun, State } from "./State.ts"

type Draft<A> = { -readonly [Key in keyof A]: A[Key] }

export interface Step {
  readonly at: Instant
  readonly before: State
  /** A shallow copy that belongs to the step. */
  readonly state: Draft<State>
  readonly records: Array<JournalRecord>
  readonly commands: Array<Command>
  /** Entries as they were before the step, for the projections written at its end. */
  readonly touched: Map<IssueId, Entry | undefined>
  /** Something happened that may let an issue start. */
  mayStart: boolean
  /** Deadlines changed. */
  timersChanged: boolean
}

export const begin = (state: State, at: Instant): Step => ({
  at,
  before: state,
  state: { ...state, issues: HashMap.beginMutation(state.issues) },
  records: [],
  commands: [],
  touched: new Map(),
  mayStart: false,
  timersChanged: false
})

export const record = (step: Step, value: JournalRecord): void => {
  step.records.push(value)
}

export const command = (step: Step, value: Command): void => {
  step.commands.push(value)
}

export const patch = (step: Step, fields: Partial<State>): void => {
  Object.assign(step.state, fields)
}

export const patchGates = (step: Step, fields: Partial<Gates>): void => {
  patch(step, { gates: { ...step.state.gates, ...fields } })
  step.mayStart = true
  step.timersChanged = true
}

export const entryOf = (step: Step, id: IssueId): Entry | undefined => {
  const found = HashMap.get(step.state.issues, id)
  return found._tag === "Some" ? found.value : undefined
}

/** The entry and the run of a run id; undefined for a run that is not live. */
export const liveOf = (step: Step, runId: RunId): { readonly entry: Entry; readonly run: LiveRun } | undefined => {
  const id = HashMap.get(step.state.live, runId)
  const entry = id._tag === "Some" ? entryOf(step, id.value) : undefined
  return entry?.run?.runId === runId ? { entry, run: entry.run } : undefined
}

const touch = (step: Step, id: IssueId, before: Entry | undefined): void => {
  if (!step.touched.has(id)) step.touched.set(id, before)
}

const member = (set: HashSet.HashSet<IssueId>, id: IssueId, wanted: boolean): HashSet.HashSet<IssueId> =>
  HashSet.has(set, id) === wanted ? set : wanted ? HashSet.add(set, id) : HashSet.remove(set, id)

const isOrdered = (entry: Entry | undefined): boolean => entry !== undefined && (entry.listed || entry.retry !== null)

const reorder = (step: Step, before: Entry | undefined, after: Entry | undefined): void => {
  const was = isOrdered(before)
  const is = isOrdered(after)
  if (was && is && before?.key === after?.key) return
  let order = step.state.order
  if (was && before !== undefined) order = Order.remove(order, before.key)
  if (is && after !== undefined) order = Order.insert(order, after.key)
  patch(step, { order })
}

/** Stores an entry. `ordered: false` leaves the order alone: the caller rebuilds it for many entries at once. */
export const put = (step: Step, entry: Entry, options?: { readonly ordered: boolean }): void => {
  const id = entry.issue.id
  const before = entryOf(step, id)
  touch(step, id, before)
  step.state.issues = HashMap.set(step.state.issues, id, entry)
  if (options?.ordered !== false) reorder(step, before, entry)
  const { live, queued, held, removing } = step.state
  let nextLive = live
  if (before?.run?.runId !== entry.run?.runId) {
    if (before?.run) nextLive = HashMap.remove(nextLive, before.run.runId)
    if (entry.run) nextLive = HashMap.set(nextLive, entry.run.runId, id)
  }
  const nextQueued = member(queued, id, entry.retry !== null)
  const nextHeld = member(held, id, entry.hold !== null)
  const nextRemoving = member(removing, id, entry.removal !== null)
  if (nextLive !== live || nextQueued !== queued || nextHeld !== held || nextRemoving !== removing) {
    patch(step, { live: nextLive, queued: nextQueued, held: nextHeld, removing: nextRemoving })
    step.mayStart = true
  }
  if (before?.run !== entry.run || before?.retry !== entry.retry || before?.removal !== entry.removal) {
    step.timersChanged = true
  }
}

/** Changes some fields of an entry. */
export const update = (step: Step, entry: Entry, fields: Partial<Entry>): Entry => {
  const next = { ...entry, ...fields }
  put(step, next)
  return next
}

/** Changes some fields of a live run. */
export const updateRun = (step: Step, entry: Entry, run: LiveRun, fields: Partial<LiveRun>): Entry =>
  update(step, entry, { run: { ...run, ...fields } })

/** A sign of life: stored without waking anything, since deadlines only move away. */
export const touchRun = (step: Step, entry: Entry, run: LiveRun, fields: Partial<LiveRun>): void => {
  const { issues } = step.state
  step.state.issues = HashMap.set(issues, entry.issue.id, { ...entry, run: { ...run, ...fields } })
}

/** Forgets an issue altogether. */
export const drop = (step: Step, entry: Entry): void => {
  const id = entry.issue.id
  touch(step, id, entry)
  reorder(step, entry, undefined)
  patch(step, {
    issues: HashMap.remove(step.state.issues, id),
    queued: member(step.state.queued, id, false),
    held: member(step.state.held, id, false),
    removing: member(step.state.removing, id, false),
    divergent: member(step.state.divergent, id, false)
  })
}

/** A late or foreign event: counted, nothing else. */
export const ignore = (step: Step): void => {
  patch(step, { ignoredEvents: step.state.ignoredEvents + 1 })
}

/** The fields with which every record about an issue begins. */
export const named = (entry: Entry): { readonly issueId: IssueId; readonly identifier: string } => ({
  issueId: entry.issue.id,
  identifier: entry.issue.identifier
})
