/**
 * The view on a terminal: log lines scroll by above a table of what is going on, which is redrawn in place. Plain
 * control sequences, no more of the screen than it needs.
 */
import type { IssueView, Snapshot } from "@opensymphony/core/scheduler/Snapshot"

export interface Screen {
  readonly columns: () => number
  readonly rows: () => number
  readonly write: (text: string) => void
}

export interface LiveTable {
  /** Prints a line above the table. */
  readonly print: (line: string) => void
  readonly show: (snapshot: Snapshot) => void
  /** Takes the table off the screen. */
  readonly clear: () => void
}

const duration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 100
    ? `${seconds} s`
    : seconds < 6_000
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`
}

const rank = { running: 0, stopping: 1, claimed: 2, retry_queued: 3, held: 4, unclaimed: 5, released: 6 } as const

const doing = (issue: IssueView): string => {
  const { run } = issue
  if (run === null || issue.phase !== "running") return issue.reason
  const turn = run.turn === null ? "" : `turn ${run.turn}, `
  const activity = run.lastActivity ?? "working"
  return `${turn}${duration(run.ageMs)}, quiet for ${duration(run.silentMs)}: ${activity}`
}

const printable = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, " ").trim()

/** Cuts at code points: a wide character may still cost two columns, which only wraps the line. */
const fit = (text: string, width: number): string => {
  const points = [...text]
  return points.length <= width ? text : `${points.slice(0, Math.max(0, width - 1)).join("")}…`
}

const heading = (snapshot: Snapshot): string => {
  const { counts, slots, gates, tracker } = snapshot
  const parts = [
    `${slots.taken} of ${slots.limit} slots taken`,
    `${counts.unclaimed} waiting`,
    `${counts.retry_queued} queued`,
    `${counts.held} held`
  ]
  if (tracker.error !== null) parts.push(`tracker: ${tracker.error}`)
  for (const gate of gates) parts.push(gate.reason)
  return parts.join(" · ")
}

/** The lines of the table, no more than fit. */
export const render = (
  snapshot: Snapshot,
  size: { readonly columns: number; readonly rows: number }
): ReadonlyArray<string> => {
  const most = Math.max(3, Math.min(20, size.rows - 4))
  const issues = snapshot.issues
    .filter((issue) => issue.phase !== "released")
    .toSorted((self, that) => rank[self.phase] - rank[that.phase])
  const shown = issues.slice(0, most)
  const names = shown.map((issue) => fit(printable(issue.identifier), 20))
  const widest = Math.max(0, ...names.map((name) => name.length))
  const lines = shown.map(
    (issue, index) => `${(names[index] ?? "").padEnd(widest)}  ${issue.phase.padEnd(12)}  ${printable(doing(issue))}`
  )
  const more = issues.length > shown.length ? [`and ${issues.length - shown.length} more`] : []
  return [printable(heading(snapshot)), ...lines, ...more].map((line) => fit(line, Math.max(20, size.columns - 1)))
}

export const make = (screen: Screen): LiveTable => {
  let drawn: ReadonlyArray<string> = []
  const erase = (): string => (drawn.length === 0 ? "" : `\u001B[${drawn.length}F\u001B[0J`)
  const draw = (before: string, lines: ReadonlyArray<string>): void => {
    const body = lines.map((line, index) => (index === 0 ? `\u001B[1m${line}\u001B[0m\n` : `${line}\n`)).join("")
    screen.write(`${erase()}${before}${body}`)
    drawn = lines
  }
  return {
    print: (line) => draw(`${line}\n`, drawn),
    show: (snapshot) => draw("", render(snapshot, { columns: screen.columns(), rows: screen.rows() })),
    clear: () => draw("", [])
  }
}
