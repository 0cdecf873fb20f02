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
import type { Entry, Gates, Instant, LiveRun, OrderKey, State } from "./State.ts"

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
  /** Issues whose place in the order changed, with the key under which they stand in it; null when they do not. */
  readonly moved: Map<IssueId, OrderKey | null>
  /** Issues whose run, retry or removal changed, and with it when something about them is due. */
  readonly timed: Set<IssueId>
  /** Issues that were read for their start: that read is fresh however long it took. */
  readonly readForStart: Set<IssueId>
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
  moved: new Map(),
  timed: new Set(),
  readForStart: new Set(),
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

const member = (set: HashSet.HashSet<IssueId>, id: IssueId, was: boolean, is: boolean): HashSet.HashSet<IssueId> =>
  was === is ? set : is ? HashSet.add(set, id) : HashSet.remove(set, id)

/** In no index, as an issue that is not known yet. */
const nothing: Pick<Entry, "run" | "retry" | "hold" | "removal"> = { run: null, retry: null, hold: null, removal: null }

/** The key under which an issue stands in the order of starts; null when it cannot start as long as it is like this. */
const placeOf = (entry: Entry | undefined): OrderKey | null =>
  entry !== undefined && entry.released === null && entry.hold === null && (entry.listed || entry.retry !== null)
    ? entry.key
    : null

const move = (step: Step, id: IssueId, before: Entry | undefined, after: Entry | undefined): void => {
  const place = placeOf(before)
  if (place !== placeOf(after) && !step.moved.has(id)) step.moved.set(id, place)
}

/** Brings the order up to date with what was put, all at once: a poll may move thousands. */
export const reorder = (step: Step): void => {
  if (step.moved.size === 0) return
  const removed: Array<OrderKey> = []
  const added: Array<OrderKey> = []
  for (const [id, before] of step.moved) {
    const after = placeOf(entryOf(step, id))
    if (before === after) continue
    if (before !== null) removed.push(before)
    if (after !== null) added.push(after)
  }
  step.moved.clear()
  patch(step, { order: Order.change(step.state.order, removed, added) })
}

/** Stores an entry. The order follows with {@link reorder}. */
export const put = (step: Step, entry: Entry): void => {
  const id = entry.issue.id
  const before = entryOf(step, id)
  touch(step, id, before)
  step.state.issues = HashMap.set(step.state.issues, id, entry)
  move(step, id, before, entry)
  const { live, queued, held, removing } = step.state
  const was = before ?? nothing
  let nextLive = live
  if (was.run?.runId !== entry.run?.runId) {
    if (was.run) nextLive = HashMap.remove(nextLive, was.run.runId)
    if (entry.run) nextLive = HashMap.set(nextLive, entry.run.runId, id)
  }
  const nextQueued = member(queued, id, was.retry !== null, entry.retry !== null)
  const nextHeld = member(held, id, was.hold !== null, entry.hold !== null)
  const nextRemoving = member(removing, id, was.removal !== null, entry.removal !== null)
  if (nextLive !== live || nextQueued !== queued || nextHeld !== held || nextRemoving !== removing) {
    patch(step, { live: nextLive, queued: nextQueued, held: nextHeld, removing: nextRemoving })
    step.mayStart = true
  }
  if (was.run !== entry.run || was.retry !== entry.retry || was.removal !== entry.removal) {
    step.timed.add(id)
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
  move(step, id, entry, undefined)
  patch(step, {
    issues: HashMap.remove(step.state.issues, id),
    queued: HashSet.remove(step.state.queued, id),
    held: HashSet.remove(step.state.held, id),
    removing: HashSet.remove(step.state.removing, id),
    fading: HashSet.remove(step.state.fading, id),
    divergent: HashSet.remove(step.state.divergent, id)
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
