/**
 * What a checker of one rule is: it watches every step of a simulated world and reports when the rule is broken. It
 * judges by what the world knows to be so and by what the scheduler was told, never by asking the scheduler's code.
 */
import type { IssueId } from "../../domain/Ids.ts"
import type { JournalRecord } from "../../domain/Journal.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Instant, State } from "../../scheduler/State.ts"
import type { Board } from "./Board.ts"
import type { Books } from "./Books.ts"
import type { Truth } from "./Truth.ts"

/** One step of the scheduler, and the world around it. */
export interface Moment {
  readonly at: Instant
  /** Milliseconds since the world began. */
  readonly time: number
  readonly event: Event
  readonly before: State
  readonly after: State
  readonly records: ReadonlyArray<JournalRecord>
  readonly commands: ReadonlyArray<Command>
  readonly truth: Truth
  readonly board: Board
  readonly books: Books
}

/** A rule of the design that was broken. */
export interface Violation {
  /** Number of the rule in the design's list of what must never happen. */
  readonly rule: number
  readonly checker: string
  readonly text: string
  readonly issueIds: ReadonlyArray<IssueId>
}

export type Report = (text: string, ...issueIds: ReadonlyArray<IssueId>) => void

/**
 * The hooks run in this order. When a record or a command is shown, the books know the event and what came before it
 * in the step; at `onStep` they know the whole step.
 */
export interface Checker {
  readonly rule: number
  readonly name: string
  readonly onRecord?: (moment: Moment, record: JournalRecord, report: Report) => void
  readonly onCommand?: (moment: Moment, command: Command, report: Report) => void
  readonly onStep?: (moment: Moment, report: Report) => void
  /** The store has kept a record; it may be long after its step. */
  readonly onKept?: (record: JournalRecord, report: Report) => void
  /** Faults ended some hours ago, and nobody has changed anything since. */
  readonly onRest?: (moment: Moment, report: Report) => void
}
