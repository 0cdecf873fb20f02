/** The checkers' own account of what the scheduler was told and what it wrote down. */
import type { JournalRecord } from "../../domain/Journal.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Instant, State } from "../../scheduler/State.ts"
import * as Facts from "./books/Facts.ts"
import * as GateBook from "./books/GateBook.ts"
import * as IssueBook from "./books/IssueBook.ts"
import * as RunBook from "./books/RunBook.ts"
import * as SlotBook from "./books/SlotBook.ts"

export interface Books {
  readonly facts: Facts.Facts
  readonly issues: IssueBook.IssueBook
  readonly runs: RunBook.RunBook
  readonly gates: GateBook.GateBook
  readonly slots: SlotBook.SlotBook
  /** Takes an event before the scheduler does. */
  readonly noteEvent: (event: Event, at: Instant, state: State) => void
  /** Take what a step wrote and ordered, each after the checkers have seen it. */
  readonly noteRecord: (record: JournalRecord, event: Event, at: Instant, after: State) => void
  readonly noteCommand: (command: Command) => void
  readonly noteEnd: (event: Event, at: Instant, after: State) => void
}

export const make = (): Books => {
  const facts = Facts.make()
  const issues = IssueBook.make()
  const runs = RunBook.make()
  const gates = GateBook.make(runs)
  const slots = SlotBook.make(gates)
  return {
    facts,
    issues,
    runs,
    gates,
    slots,
    noteEvent: (event, at, state) => {
      gates.noteEvent(event, at, state.policy)
      facts.note(event, at.now)
      runs.noteEvent(event, at.now)
      slots.noteEvent(event, at.now)
      issues.noteEvent(event, at)
    },
    noteRecord: (record, event, at, after) => {
      gates.noteRecord(record, at, after.policy)
      const kind = record._tag === "RunClaimed" ? issues.pages.get(record.issueId)?.retry?.kind : undefined
      runs.noteRecord(record, event, at.now, kind ?? "first")
      issues.note(record, at.now)
      if (record._tag === "Forgotten") facts.forget(record.issueId)
    },
    noteCommand: runs.noteCommand,
    noteEnd: (event, at, after) => slots.noteStep(event, after, at)
  }
}
