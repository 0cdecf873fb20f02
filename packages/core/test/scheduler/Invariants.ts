/** What must hold after every step of the scheduler, whatever happened (DESIGN 6): checked in stories and properties. */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { IssueId } from "../../src/domain/Ids.ts"
import { isSame, stateKey } from "../../src/domain/Issue.ts"
import * as Decision from "../../src/scheduler/Decision.ts"
import * as Eligibility from "../../src/scheduler/Eligibility.ts"
import type { Event } from "../../src/scheduler/Event.ts"
import * as Gates from "../../src/scheduler/Gates.ts"
import * as Order from "../../src/scheduler/Order.ts"
import * as Snapshot from "../../src/scheduler/Snapshot.ts"
import { type Entry, type Instant, phaseOf, type State } from "../../src/scheduler/State.ts"
import type { Transition } from "../../src/scheduler/Transition.ts"

class Broken extends Error {}

const claim = (condition: boolean, what: () => string): void => {
  if (!condition) throw new Broken(what())
}

const members = (set: HashSet.HashSet<IssueId>): string => [...set].sort().join(" ")

const namesOf = (entries: ReadonlyArray<Entry>): string =>
  entries
    .map(({ issue }) => issue.id)
    .sort()
    .join(" ")

const checkIndexes = (state: State, entries: ReadonlyArray<Entry>): void => {
  const index = (name: "queued" | "held" | "removing", isIn: (entry: Entry) => boolean): void =>
    claim(
      members(state[name]) === namesOf(entries.filter(isIn)),
      () => `${name} holds ${members(state[name])}, the entries say ${namesOf(entries.filter(isIn))}`
    )
  index("queued", (entry) => entry.retry !== null)
  index("held", (entry) => entry.hold !== null)
  index("removing", (entry) => entry.removal !== null)
  const live = entries.filter((entry) => entry.run !== null)
  claim(HashMap.size(state.live) === live.length, () => `${HashMap.size(state.live)} live, ${live.length} runs`)
  for (const { issue, run } of live) {
    const found = run === null ? undefined : HashMap.get(state.live, run.runId)
    claim(found?._tag === "Some" && found.value === issue.id, () => `${issue.id} is not in the index of live runs`)
  }
  const mayStart = (entry: Entry) => entry.released === null && entry.hold === null
  const keys = entries
    .filter((entry) => mayStart(entry) && (entry.listed || entry.retry !== null))
    .map(({ key }) => key)
  const wanted = keys.sort(Order.compare).map((key) => JSON.stringify(key))
  const actual = state.order.map((key) => JSON.stringify(key))
  claim(actual.join() === wanted.join(), () => `the order is ${actual.join()}, should be ${wanted.join()}`)
}

const checkEntry = (state: State, entry: Entry): void => {
  const { awaitingRead, hold, issue, released, removal, retry, run } = entry
  const asks = (what: string) => () => `${issue.id} waits for a read that nobody makes: ${what}`
  const { inFlight, wanted } = state.demand
  const isRead = HashSet.has(wanted, issue.id) || (inFlight !== null && HashSet.has(inFlight, issue.id))
  claim(!awaitingRead || isRead, asks("a start"))
  claim(!run?.closing || isRead, asks("the end of a run"))
  claim(run?.turn?.askedAt == null || isRead, asks("a turn"))
  claim(run === null || retry === null, () => `${issue.id} runs and is queued`)
  claim(run === null || released === null, () => `${issue.id} runs and is released`)
  claim(run === null || removal?._tag !== "Removing", () => `the workspace of ${issue.id} is removed under its run`)
  claim(retry === null || hold === null, () => `${issue.id} is queued and held`)
  claim(Order.isSameKey(entry.key, Order.keyOf(issue)), () => `${issue.id} has the key of an older read`)
  const { counters } = entry
  for (const [name, count] of Object.entries(counters)) {
    claim(count >= 0 && Number.isInteger(count), () => `${issue.id} has ${count} ${name}`)
  }
}

const checkSnapshot = (state: State, entries: ReadonlyArray<Entry>, at: Instant): void => {
  const snapshot = Snapshot.make(state, at)
  const counts: { [phase: string]: number } = {}
  for (const entry of entries) counts[phaseOf(entry)] = (counts[phaseOf(entry)] ?? 0) + 1
  for (const [phase, count] of Object.entries(snapshot.counts)) {
    claim(count === (counts[phase] ?? 0), () => `the snapshot counts ${count} ${phase}`)
  }
  const busy = snapshot.counts.claimed + snapshot.counts.running + snapshot.counts.stopping
  claim(snapshot.slots.taken === busy, () => `${snapshot.slots.taken} slots taken by ${busy} runs`)
}

/** A poll's copy that no read touched since is what the scheduler knows: otherwise an equal next poll is lost. */
const checkPoll = (state: State): void => {
  for (const copy of state.poll.issues) {
    const found = HashMap.get(state.issues, copy.id)
    const entry = found._tag === "Some" ? found.value : undefined
    const isKnown = HashSet.has(state.divergent, copy.id) || (entry !== undefined && isSame(entry.issue, copy))
    claim(isKnown, () => `${copy.id} differs from the poll's copy and nobody remembers that`)
  }
}

const checkStarts = (before: State, result: Transition, at: Instant): void => {
  const { state } = result
  const isStart = (tag: string) => tag === "RunClaimed"
  const starts = result.records.filter((record) => isStart(record._tag))
  const prepared = result.commands.filter((command) => command._tag === "PrepareWorkspace")
  claim(starts.length === prepared.length, () => "claims and preparations differ")
  if (starts.length === 0) return
  claim(HashMap.size(state.live) <= state.policy.maxConcurrentAgents, () => "more runs than slots after a start")
  for (const command of prepared) {
    const { issue, runId } = command.run
    const found = HashMap.get(state.issues, issue.id)
    const entry = found._tag === "Some" ? found.value : undefined
    claim(entry?.run?.runId === runId, () => `${issue.id} was claimed and has no run`)
    if (entry === undefined) continue
    const obstacle = Eligibility.facts(state, entry)
    claim(obstacle === null, () => `${issue.id} starts although ${obstacle === null ? "" : Decision.render(obstacle)}`)
    claim(entry.hold === null, () => `${issue.id} starts although it is held`)
    const limit = state.policy.maxConcurrentAgentsByState[stateKey(issue.state)]
    const inState = Eligibility.liveInState(state, stateKey(issue.state))
    claim(limit === undefined || inState <= limit, () => `${inState} runs in ${issue.state}`)
    const closed = Gates.closed(state, at).filter(({ gate }) => gate !== "runtime_failing")
    claim(closed.length === 0, () => `${issue.id} starts behind ${closed.map(({ gate }) => gate)}`)
    const previous = HashMap.get(before.issues, issue.id)
    const due = previous._tag === "Some" ? previous.value.retry?.dueAt : undefined
    claim(due === undefined || due <= at.now, () => `${issue.id} starts before its retry is due`)
  }
}

const checkRest = (state: State, entries: ReadonlyArray<Entry>, at: Instant): void => {
  const { demand, policy } = state
  const promised = HashSet.size(demand.wanted) + (demand.inFlight === null ? 0 : HashSet.size(demand.inFlight))
  if (HashMap.size(state.live) + promised >= policy.maxConcurrentAgents || state.gates.failing !== null) return
  for (const entry of entries) {
    const decision = Eligibility.decide(state, entry, at)
    claim(decision._tag !== "Eligible", () => `${entry.issue.id} is eligible, slots are free, and it does not start`)
  }
}

/** A deadline that nobody is woken for is never met. */
const checkWakeUp = (state: State, entries: ReadonlyArray<Entry>, at: Instant): void => {
  const { policy, poll, tracker } = state
  const due: Array<readonly [string, number]> = []
  if (!poll.inFlight) due.push(["the poll", Math.max(poll.dueAt, tracker.retryAt)])
  for (const { issue, removal, retry, run } of entries) {
    if (retry !== null && retry.dueAt > at.now) due.push([`the retry of ${issue.id}`, retry.dueAt])
    if (removal !== null && removal._tag !== "Removing" && removal.dueAt > at.now) {
      due.push([`the removal of ${issue.id}`, removal.dueAt])
    }
    if (run === null || run.stage === "finishing") continue
    if (run.stop !== null) due.push([`the stop of ${run.runId}`, run.stop.deadline])
    else if (run.handoff !== null) due.push([`the grace of ${run.runId}`, run.handoff.deadline])
    else if (run.stage === "running" && policy.stallTimeoutMs > 0 && run.turn?.askedAt == null) {
      due.push([`the silence of ${run.runId}`, run.lastActivityAt + policy.stallTimeoutMs])
    }
  }
  for (const { gate, opensInMs } of Gates.closed(state, at)) {
    if (opensInMs !== null) due.push([`the gate ${gate}`, at.now + opensInMs])
  }
  for (const [what, instant] of due) {
    const wakeAt = state.wakeAt ?? Number.POSITIVE_INFINITY
    claim(wakeAt <= instant, () => `${what} is due at ${instant}, and the next wake-up is at ${wakeAt}`)
  }
}

/** Throws when a step broke a rule. */
export const check = (before: State, event: Event, result: Transition, at: Instant): void => {
  const { state } = result
  const entries = [...HashMap.values(state.issues)]
  for (const [id, entry] of state.issues) claim(entry.issue.id === id, () => `${id} is kept as ${entry.issue.id}`)
  checkIndexes(state, entries)
  for (const entry of entries) checkEntry(state, entry)
  checkSnapshot(state, entries, at)
  checkPoll(state)
  checkStarts(before, result, at)
  if (event._tag === "Tick" && state.started) checkRest(state, entries, at)
  if (state.started) checkWakeUp(state, entries, at)
  const polls = result.commands.filter(({ _tag }) => _tag === "PollCandidates").length
  claim(polls === 0 || (polls === 1 && state.poll.inFlight), () => `${polls} polls asked for in one step`)
}
