/**
 * The decision core: a pure function from a state and an event to a new state, records to keep and commands to carry
 * out. It reads no clock, no random source and no environment, and it is total: any event in any state gives a state.
 */
import * as HashMap from "effect/HashMap"
import type { JournalRecord } from "../domain/Journal.ts"
import * as Closing from "./Closing.ts"
import type { Command } from "./Command.ts"
import * as Ending from "./Ending.ts"
import type { Event } from "./Event.ts"
import * as Operating from "./Operating.ts"
import * as Polling from "./Polling.ts"
import * as Reading from "./Reading.ts"
import * as Recovering from "./Recovering.ts"
import * as Removing from "./Removing.ts"
import * as Running from "./Running.ts"
import * as Saving from "./Saving.ts"
import * as Starting from "./Starting.ts"
import type { Instant, State } from "./State.ts"
import * as Step from "./Step.ts"
import * as Stopping from "./Stopping.ts"
import * as Timers from "./Timers.ts"

export interface Transition {
  readonly state: State
  /** To be kept, in order, before the commands start. */
  readonly records: ReadonlyArray<JournalRecord>
  readonly commands: ReadonlyArray<Command>
}

/** Everything that is due by itself. Harmless when nothing is. */
const tick = (step: Step.Step): void => {
  // The timer is spent, also when it fired a moment too early, as timers may: what is not due yet needs another.
  Step.patch(step, { wakeAt: null })
  step.mayStart = true
  step.timersChanged = true
  for (const id of HashMap.values(step.state.live)) {
    const entry = Step.entryOf(step, id)
    if (entry?.run) Running.checkDeadlines(step, entry, entry.run)
  }
  for (const id of step.state.removing) {
    const entry = Step.entryOf(step, id)
    if (entry !== undefined) Removing.consider(step, entry)
  }
}

/** One of the hottest places: a table of functions made anew for every event would cost more than most events. */
const apply = (step: Step.Step, event: Event): void => {
  switch (event._tag) {
    case "Started":
      return Recovering.started(step, event)
    case "Tick":
      return tick(step)
    case "CandidatesPolled":
      return Polling.polled(step, event)
    case "CandidatesFailed":
      return Polling.pollFailed(step, event)
    case "IssuesRead":
      return Reading.read(step, event)
    case "IssuesReadFailed":
      return Reading.readFailed(step, event)
    case "WorkspacePrepared":
      return Starting.prepared(step, event)
    case "PreparationFailed":
      return Starting.preparationFailed(step, event)
    case "RunLaunched":
      return Running.launched(step, event)
    case "LaunchFailed":
      return Starting.launchFailed(step, event)
    case "Activity":
      return Running.activity(step, event)
    case "TurnStarted":
      return Running.turnStarted(step, event)
    case "TurnCompleted":
      return Running.turnCompleted(step, event)
    case "TurnAsked":
      return Running.turnAsked(step, event)
    case "SessionUpdated":
      return Running.sessionUpdated(step, event)
    case "RunFinished":
      return Ending.finished(step, event)
    case "StopSettled":
      return Stopping.settled(step, event)
    case "RunClosed":
      return Closing.closed(step, event)
    case "WorkspaceRemoved":
      return Removing.removed(step, event)
    case "WorkspaceKept":
      return Removing.kept(step, event)
    case "RemovalFailed":
      return Removing.failed(step, event)
    case "RuntimeUp":
      return Operating.runtimeUp(step)
    case "RuntimeDown":
      return Operating.runtimeDown(step, event)
    case "PolicyChanged":
      return Operating.policyChanged(step, event)
    case "ConfigurationJudged":
      return Operating.configurationJudged(step, event)
    case "PollRequested":
      return Polling.request(step)
    case "PauseRequested":
      return Step.patchGates(step, { paused: event.reason })
    case "ResumeRequested":
      return Step.patchGates(step, { paused: null })
    case "HoldRequested":
      return Operating.hold(step, event)
    case "ReleaseRequested":
      return Operating.release(step, event)
    case "DrainRequested":
      return Operating.drain(step)
  }
}

/** Decides. `state` is not changed and may be used again. */
export const transition = (state: State, event: Event, at: Instant): Transition => {
  const step = Step.begin(state, at)
  apply(step, event)
  // Whatever comes first when something is due does it: its wake-up may be replaced before it arrives.
  if (state.wakeAt !== null && at.now >= state.wakeAt && event._tag !== "Tick") tick(step)
  if (step.state.started) {
    Reading.giveUpClosing(step)
    for (const id of step.touched.keys()) {
      const entry = Step.entryOf(step, id)
      if (entry !== undefined && (entry.released === "terminal" || entry.removal !== null))
        Removing.consider(step, entry)
    }
    Polling.start(step)
    Step.reorder(step)
    if (step.mayStart) Starting.fillSlots(step)
    Reading.flush(step, "demand")
    Reading.flush(step, "refresh")
  }
  if (step.mayStart || step.timersChanged) Saving.noteGates(step)
  Saving.save(step)
  Step.reorder(step)
  Timers.schedule(step)
  return {
    state: { ...step.state, issues: HashMap.endMutation(step.state.issues) },
    records: step.records,
    commands: step.commands
  }
}
