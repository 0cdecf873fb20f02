/** How issues look on a screen and in a pipe. Pure. */
import type { Issue, IssueReference } from "@opensymphony/core/domain/Issue"
import * as DateTime from "effect/DateTime"

/** Issue files are written by anybody: what would steer the terminal is left out. */
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, " ").trim()

const lines = (text: string): string => text.replace(/(?![\n\t])\p{Cc}/gu, "")

const inNaturalOrder = new Intl.Collator("en", { numeric: true })

/** ABC-2 before ABC-10. */
export const byIdentifier = (issues: ReadonlyArray<Issue>): ReadonlyArray<Issue> =>
  issues.toSorted((self, that) => inNaturalOrder.compare(self.identifier, that.identifier))

/** `IDENTIFIER<TAB>STATE<TAB>PRIORITY<TAB>TITLE`, a line per issue; without a priority, its field is empty. */
export const tabSeparated = (issues: ReadonlyArray<Issue>): ReadonlyArray<string> =>
  issues.map(({ identifier, priority, state, title }) =>
    [identifier, state, priority === null ? "" : String(priority), title].map(oneLine).join("\t")
  )

/** The same columns, aligned, under a heading. */
export const table = (issues: ReadonlyArray<Issue>): ReadonlyArray<string> => {
  const rows = [
    ["ISSUE", "STATE", "PRIORITY", "TITLE"],
    ...issues.map(({ identifier, priority, state, title }) =>
      [identifier, state, priority === null ? "-" : String(priority), title].map(oneLine)
    )
  ]
  const length = (text: string) => [...text].length
  const widths = [0, 1, 2].map((column) => rows.reduce((most, row) => Math.max(most, length(row[column] ?? "")), 0))
  return rows.map((row) =>
    row.map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - length(cell)))).join("  ")
  )
}

const reference = ({ identifier, note, state }: IssueReference): string => {
  const facts = [state, note].filter((fact) => fact !== null)
  return facts.length === 0 ? identifier : `${identifier} (${facts.join("; ")})`
}

const instant = (epochMs: number | null): string =>
  epochMs === null ? "" : DateTime.formatIso(DateTime.makeUnsafe(epochMs))

/** One issue with all that is known of it; comments stand in the description, as in the file. */
export const detailed = (issue: Issue, parent: string | null): ReadonlyArray<string> => {
  const fields: ReadonlyArray<readonly [string, string]> = [
    ["State", issue.state],
    ["Priority", issue.priority === null ? "" : String(issue.priority)],
    ["Labels", issue.labels.join(", ")],
    ["Blocked by", issue.blockedBy.map(reference).join(", ")],
    ["Parent", parent ?? ""],
    ["Sub-issues", issue.subIssues.map(reference).join(", ")],
    ["Assignee", issue.assigneeId ?? ""],
    ["Branch", issue.branchName ?? ""],
    ["URL", issue.url ?? ""],
    ["Created", instant(issue.createdAtMs)],
    ["Updated", instant(issue.updatedAtMs)],
    ["File", issue.nativeRef ?? ""]
  ]
  const given = fields
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${`${name}:`.padEnd(12)}${oneLine(value)}`)
  const description = issue.description === null ? [] : ["", lines(issue.description)]
  return [oneLine(`${issue.identifier}: ${issue.title}`), "", ...given, ...description]
}
