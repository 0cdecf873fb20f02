/**
 * Schedulers with one fault each, as wrappers of the real `transition`: what every checker has to catch. The world and
 * the checkers see the true event; the scheduler sees what its saboteur lets through.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { IssueId } from "../../src/domain/Ids.ts"
import type { JournalRecord } from "../../src/domain/Journal.ts"
import type { Policy } from "../../src/domain/Policy.ts"
import type { Command } from "../../src/scheduler/Command.ts"
import type { Event } from "../../src/scheduler/Event.ts"
import type { Entry, Gates, State } from "../../src/scheduler/State.ts"
import { transition as honest } from "../../src/scheduler/Transition.ts"

type Transition = typeof honest

/** Decides under another policy than the one that holds. */
export const underPolicy =
  (fields: Partial<Policy>): Transition =>
  (state, event, at) => {
    const step = honest({ ...state, policy: { ...state.policy, ...fields } }, event, at)
    const policy = event._tag === "PolicyChanged" ? event.policy : state.policy
    return { ...step, state: { ...step.state, policy } }
  }

/** Does not see that some gates are closed. */
export const blindToGates =
  (fields: Partial<Gates>): Transition =>
  (state, event, at) => {
    const step = honest({ ...state, gates: { ...state.gates, ...fields } }, event, at)
    const kept = Object.fromEntries(Object.keys(fields).map((key) => [key, state.gates[key as keyof Gates]]))
    const isAboutGates = event._tag === "ResumeRequested" || event._tag === "PauseRequested" || event._tag === "Started"
    return isAboutGates ? step : { ...step, state: { ...step.state, gates: { ...step.state.gates, ...kept } } }
  }

/** Takes one event for another. */
export const mistaking =
  (mistake: (event: Event, state: State) => Event): Transition =>
  (state, event, at) =>
    honest(state, mistake(event, state), at)

export const changingCommands =
  (change: (commands: ReadonlyArray<Command>, state: State, event: Event) => ReadonlyArray<Command>): Transition =>
  (state, event, at) => {
    const step = honest(state, event, at)
    return { ...step, commands: change(step.commands, step.state, event) }
  }

export const changingRecords =
  (
    change: (records: ReadonlyArray<JournalRecord>, state: State, event: Event) => ReadonlyArray<JournalRecord>
  ): Transition =>
  (state, event, at) => {
    const step = honest(state, event, at)
    return { ...step, records: change(step.records, step.state, event) }
  }

export const changingState =
  (change: (state: State, event: Event) => State): Transition =>
  (state, event, at) => {
    const step = honest(state, event, at)
    return { ...step, state: change(step.state, event) }
  }

/** Changes the entry of one issue. */
export const withEntry = (state: State, id: IssueId, change: (entry: Entry) => Entry): State => {
  const found = HashMap.get(state.issues, id)
  return found._tag === "None" ? state : { ...state, issues: HashMap.set(state.issues, id, change(found.value)) }
}

export const noneHeld = (state: State): State => ({ ...state, held: HashSet.empty() })
