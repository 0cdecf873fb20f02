/** For whoever wants to see every decision as it is made: a tracer, a debugger, a simulator that checks them. */
import * as Context from "effect/Context"
import type { JournalRecord } from "../domain/Journal.ts"
import type { Command } from "../scheduler/Command.ts"
import type { Event } from "../scheduler/Event.ts"
import type { Instant, State } from "../scheduler/State.ts"

/** One decision: what happened, and what the scheduler made of it. */
export interface ObservedStep {
  readonly event: Event
  readonly at: Instant
  readonly before: State
  readonly after: State
  readonly records: ReadonlyArray<JournalRecord>
  readonly commands: ReadonlyArray<Command>
}

/**
 * Called with every decision, before anything of it is carried out; null when nobody looks. It is called by the loop
 * that decides: it has to return at once. What it throws is ignored.
 */
export const StepObserver = Context.Reference<((step: ObservedStep) => void) | null>(
  "@opensymphony/core/StepObserver",
  { defaultValue: () => null }
)
