// The requests that the fake Linear counted, beside what there was to ask: polls, reads by lane, calls of tools. The
// formula is that of docs/linear.md, "What it costs".
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { ObservedStep } from "@opensymphony/core/orchestrator/StepObserver"

const pageSize = 50
/** Issues with more labels are read to their end, so many with one request. */
const listSize = 20
const listsPerRequest = 8

/** What a call of a tool asks that is carried out. */
const requestsOfTool: { readonly [tool: string]: number } = {
  get_issue: 1,
  read_workpad: 1,
  write_workpad: 2,
  add_comment: 1,
  move_issue: 2
}
/** For calls that were refused half-way. */
const toolSlack = 1.1
/** After a lost answer a tool looks for what it made, and may write once more. */
const requestsAfterLoss = 2
/** Of every request, the first try included. */
export const mostTries = 4

export interface Line {
  readonly what: string
  /** How often there was a reason to ask. */
  readonly occasions: number
  /** Requests that Linear answered. */
  readonly answered: number
  /** At most so many of them, by the formula. */
  readonly bound: number
  /** Requests that were refused or lost. */
  readonly failed: number
  /** By Linear's documented rule. */
  readonly points: number
}

export interface ToolCalls {
  readonly made: number
  readonly refused: number
}

export interface Ledger {
  readonly observe: (step: ObservedStep) => void
  readonly lines: (calls: ReadonlyMap<string, ToolCalls>) => ReadonlyArray<Line>
}

interface Occasions {
  count: number
  issues: number
  pages: number
}

const isLong = ({ labels }: Pick<Issue, "labels">): boolean => labels.length > listSize

export function make(linear: FakeLinear.FakeLinear): Ledger {
  const polls: Occasions = { count: 0, issues: 0, pages: 0 }
  const demand: Occasions = { count: 0, issues: 0, pages: 0 }
  const refresh: Occasions = { count: 0, issues: 0, pages: 0 }
  let lists = 0
  let hours = { firstMs: Infinity, lastMs: 0 }

  const occurred = (occasions: Occasions, issues: number) => {
    occasions.count += 1
    occasions.issues += issues
    occasions.pages += Math.max(1, Math.ceil(issues / pageSize))
  }
  const longLists = (issues: ReadonlyArray<Pick<Issue, "labels">>) => {
    lists += Math.ceil(issues.filter(isLong).length / listsPerRequest)
  }

  const observe = ({ at, commands, event }: ObservedStep) => {
    hours = { firstMs: Math.min(hours.firstMs, at.wallTime), lastMs: at.wallTime }
    // Reads that fail are counted too: they may have failed at their last request.
    if (event._tag === "CandidatesPolled") {
      occurred(polls, event.batch.issues.length)
      longLists(event.batch.issues)
    }
    if (event._tag === "CandidatesFailed") occurred(polls, 1)
    if (event._tag === "IssuesRead") longLists(event.batch.issues)
    for (const command of commands) {
      if (command._tag === "ReadIssues") occurred(command.lane === "demand" ? demand : refresh, command.ids.length)
    }
  }

  const line = (what: string, occasions: number, bound: number, isOne: (operation: string) => boolean): Line => {
    const own = linear.requests().filter(({ operation }) => operation !== null && isOne(operation))
    const answered = own.filter(({ errors, fault, status }) => fault === null && status === 200 && errors.length === 0)
    const points = answered.reduce((sum, { complexity }) => sum + (complexity?.documented ?? 0), 0)
    return { what, occasions, answered: answered.length, bound, failed: own.length - answered.length, points }
  }

  const toolLine = (calls: ReadonlyMap<string, ToolCalls>): Line => {
    const broken = linear.requests().filter(({ fault }) => fault === "lostAnswer" || fault === "resetInBody")
    const lost = broken.filter(({ type }) => type === "mutation").length
    let made = 0
    let asked = 0
    for (const [name, call] of calls) {
      made += call.made
      asked += (call.made - call.refused) * (requestsOfTool[name] ?? 0)
    }
    const bound = Math.ceil(asked * toolSlack) + lost * requestsAfterLoss
    return line("calls of tools", made, bound, (operation) => operation.startsWith("Tool"))
  }

  return {
    observe,
    lines: (calls) => {
      const reads = demand.count + refresh.count
      const begun = Math.ceil((hours.lastMs - hours.firstMs) / 3_600_000)
      return [
        line("polls", polls.count, polls.pages, (operation) => operation === "Issues"),
        line(
          `reads by id (${refresh.count} beside polls, ${demand.count} for starts and turn ends)`,
          reads,
          demand.pages + refresh.pages,
          (operation) => operation === "IssuesByIds"
        ),
        line("lists with more than twenty", lists, lists, (operation) => operation === "IssueLists"),
        line("the project, in the hours", begun, 2 * begun, (operation) =>
          ["ProjectProbe", "States"].includes(operation)
        ),
        toolLine(calls)
      ]
    }
  }
}

const widths = [58, 9, 8, 5, 6, 7]

/** The lines as a table for people. */
export const table = (lines: ReadonlyArray<Line>): string =>
  [
    ["", "occasions", "answered", "bound", "failed", "points"],
    ...lines.map((it) => [it.what, it.occasions, it.answered, it.bound, it.failed, it.points].map(String))
  ]
    .map((cells) =>
      cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ")
    )
    .join("\n")
