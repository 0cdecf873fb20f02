/** The closing summary: a line per issue that was a candidate or ran. */
import * as CodePointOrder from "@opensymphony/core/domain/CodePointOrder"
import type { JournalRecord } from "@opensymphony/core/domain/Journal"
import type { IssueView, Snapshot } from "@opensymphony/core/scheduler/Snapshot"

export interface SummaryRow {
  readonly identifier: string
  readonly state: string
  readonly phase: string
  readonly runs: number
  readonly reason: string
}

/** Collects what the scheduler forgets, so that a closing summary can still tell of it. */
export interface SummaryCollector {
  readonly note: (record: JournalRecord) => void
  readonly rows: (snapshot: Snapshot) => ReadonlyArray<SummaryRow>
}

const rowOf = ({ identifier, state, phase, runs, reason }: IssueView): SummaryRow => ({
  identifier,
  state,
  phase,
  runs,
  reason
})

/** A workspace that was only found on disk belongs to an issue that was no candidate. */
const isConcerned = (issue: IssueView): boolean => issue.runs > 0 || issue.phase !== "released"

export const collector = (): SummaryCollector => {
  const forgotten = new Map<string, SummaryRow>()
  return {
    note: (record) => {
      if (record._tag !== "Forgotten") return
      const { identifier, state, claims, reason } = record
      forgotten.set(record.issueId, { identifier, state, phase: "released", runs: claims, reason })
    },
    rows: (snapshot) => {
      const rows = new Map(forgotten)
      for (const issue of snapshot.issues) if (isConcerned(issue)) rows.set(issue.id, rowOf(issue))
      return [...rows.values()].sort((self, that) => CodePointOrder.compare(self.identifier, that.identifier))
    }
  }
}

const field = (text: string): string => text.replace(/[\t\r\n]+/g, " ")

/** `IDENTIFIER<TAB>STATE<TAB>PHASE<TAB>RUNS<TAB>REASON`. */
export const tabSeparated = (rows: ReadonlyArray<SummaryRow>): ReadonlyArray<string> =>
  rows.map(({ identifier, state, phase, runs, reason }) =>
    [identifier, state, phase, String(runs), reason].map(field).join("\t")
  )

/** The same columns aligned, under a heading, for a terminal of this width. */
export const table = (rows: ReadonlyArray<SummaryRow>, columns: number): ReadonlyArray<string> => {
  const cells = [
    ["ISSUE", "STATE", "PHASE", "RUNS", "REASON"],
    ...rows.map(({ identifier, state, phase, runs, reason }) =>
      [identifier, state, phase, String(runs), reason].map((text) => field(text).replace(/\p{Cc}/gu, " "))
    )
  ]
  const widths = [0, 1, 2, 3].map((index) => Math.max(...cells.map((row) => (row[index] ?? "").length)))
  return cells.map((row) =>
    row
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd()
      .slice(0, Math.max(20, columns - 1))
  )
}
