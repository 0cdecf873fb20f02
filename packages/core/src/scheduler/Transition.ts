/**
 * The decision core: a pure function from a state and an event to a new state, records to keep and commands to carry
 * out. It reads no clock, no random source and no environment, and it is total: any event in any state gives a state.
 */
import * as HashMap from "effect/HashMap"
import type { JournalRecord } from "../domain/Journal.ts"
import * as Closing from "./Closing.ts"
import type { Command } from "./Command.ts"
import * as Ending from "./Ending.ts"
import { Event } from "./Event.ts"
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

const apply = (step: Step.Step, event: Event): void =>
  Event.$match(event, {
    Started: (value) => Recovering.started(step, value),
    Tick: () => tick(step),
    CandidatesPolled: (value) => Polling.polled(step, value),
    CandidatesFailed: (value) => Polling.pollFailed(step, value),
    IssuesRead: (value) => Reading.read(step, value),
    IssuesReadFailed: (value) => Reading.readFailed(step, value),
    WorkspacePrepared: (value) => Starting.prepared(step, value),
    PreparationFailed: (value) => Starting.preparationFailed(step, value),
    RunLaunched: (value) => Running.launched(step, value),
    LaunchFailed: (value) => Starting.launchFailed(step, value),
    Activity: (value) => Running.activity(step, value),
    TurnStarted: (value) => Running.turnStarted(step, value),
    TurnCompleted: (value) => Running.turnCompleted(step, value),
    TurnAsked: (value) => Running.turnAsked(step, value),
    SessionUpdated: (value) => Running.sessionUpdated(step, value),
    RunFinished: (value) => Ending.finished(step, value),
    StopSettled: (value) => Stopping.settled(step, value),
    RunClosed: (value) => Closing.closed(step, value),
    WorkspaceRemoved: (value) => Removing.removed(step, value),
    WorkspaceKept: (value) => Removing.kept(step, value),
    RemovalFailed: (value) => Removing.failed(step, value),
    RuntimeUp: () => Operating.runtimeUp(step),
    RuntimeDown: (value) => Operating.runtimeDown(step, value),
    PolicyChanged: (value) => Operating.policyChanged(step, value),
    ConfigurationJudged: (value) => Operating.configurationJudged(step, value),
    PollRequested: () => Polling.request(step),
    PauseRequested: ({ reason }) => Step.patchGates(step, { paused: reason }),
    ResumeRequested: () => Step.patchGates(step, { paused: null }),
    HoldRequested: (value) => Operating.hold(step, value),
    ReleaseRequested: (value) => Operating.release(step, value),
    DrainRequested: () => Operating.drain(step)
  })

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
