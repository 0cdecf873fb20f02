/** Everybody who watches a simulated world: the books, the checkers, the marks and the trace. */
import type { IssueId } from "../../domain/Ids.ts"
import type { JournalRecord } from "../../domain/Journal.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Instant, State } from "../../scheduler/State.ts"
import type { Board } from "./Board.ts"
import * as Books from "./Books.ts"
import type { Checker, Moment, Report, Violation } from "./Checker.ts"
import * as Checkers from "./Checkers.ts"
import * as Marks from "./Marks.ts"
import * as Trace from "./Trace.ts"
import type { Truth } from "./Truth.ts"

export interface InspectedStep {
  readonly at: Instant
  /** Milliseconds since the world began. */
  readonly time: number
  readonly event: Event
  /** It was delivered before. */
  readonly isReplay: boolean
  readonly before: State
  readonly after: State
  readonly records: ReadonlyArray<JournalRecord>
  readonly commands: ReadonlyArray<Command>
}

export interface Inspection {
  readonly step: (step: InspectedStep) => void
  readonly kept: (records: ReadonlyArray<JournalRecord>) => void
  /** The calm phase is over. */
  readonly rest: (end: { readonly at: Instant; readonly time: number; readonly state: State }) => void
  readonly violation: () => Violation | null
  readonly marks: () => ReadonlySet<string>
  readonly trace: () => ReadonlyArray<Trace.TraceLine>
}

export interface InspectionOptions {
  readonly truth: Truth
  readonly board: Board
  readonly trace: boolean
  /** What else is looked at in this kind of world. */
  readonly checkers?: ReadonlyArray<Checker>
}

export const make = ({ board, checkers: more = [], trace, truth }: InspectionOptions): Inspection => {
  const books = Books.make()
  const checkers = [...Checkers.make(), ...more]
  const marks = Marks.make()
  const lines = trace ? Trace.make(truth) : null
  let violation: Violation | null = null

  const reportOf =
    ({ name, rule }: Checker): Report =>
    (text, ...issueIds: ReadonlyArray<IssueId>) => {
      violation ??= { rule, checker: name, text, issueIds }
    }
  const watching = checkers.map((checker) => ({ checker, report: reportOf(checker) }))
  const hooked = <K extends keyof Checker>(hook: K) =>
    watching.flatMap(({ checker, report }) => {
      const act = checker[hook]
      return act === undefined ? [] : [{ act: act as NonNullable<Checker[K]>, report }]
    })
  const onRecord = hooked("onRecord")
  const onCommand = hooked("onCommand")
  const onStep = hooked("onStep")
  const onKept = hooked("onKept")
  const onRest = hooked("onRest")

  return {
    step: (step) => {
      const { after, at, before, commands, event, isReplay, records, time } = step
      if (!isReplay) truth.delivered(event)
      books.noteEvent(event, at, before)
      const moment: Moment = { at, time, event, before, after, records, commands, truth, board, books }
      for (const record of records) {
        for (const { act, report } of onRecord) act(moment, record, report)
        books.noteRecord(record, event, at, after)
      }
      for (const command of commands) {
        for (const { act, report } of onCommand) act(moment, command, report)
        books.noteCommand(command)
      }
      books.noteEnd(event, at, after)
      for (const { act, report } of onStep) act(moment, report)
      marks.note(moment)
      lines?.note(step)
    },
    kept: (records) => {
      if (onKept.length === 0) return
      for (const record of records) for (const { act, report } of onKept) act(record, report)
    },
    rest: ({ at, state, time }) => {
      const moment: Moment = {
        at,
        time,
        event: { _tag: "Tick" },
        before: state,
        after: state,
        records: [],
        commands: [],
        truth,
        board,
        books
      }
      for (const { act, report } of onRest) act(moment, report)
    },
    violation: () => violation,
    marks: marks.reached,
    trace: () => lines?.lines() ?? []
  }
}
