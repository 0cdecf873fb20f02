// The requests that the fake Linear counted, beside what there was to ask: polls, reads by lane, calls of tools. The
// formula is that of docs/linear.md, "What it costs".
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import type { ObservedStep } from "@opensymphony/core/orchestrator/StepObserver"

const pageSize = 50
const pages = (issues: number): number => Math.max(1, Math.ceil(issues / pageSize))

/** What calls of a tool may ask at most when nothing is lost; one more is for finding what a lost answer had made. */
const requestsOfTool: { readonly [tool: string]: number } = {
  get_issue: 1,
  read_workpad: 2,
  write_workpad: 4,
  add_comment: 2,
  move_issue: 2
}

/** The operations of each line of the table. */
const operationsOf = {
  polls: ["Issues"],
  reads: ["IssuesByIds"],
  "long lists": ["IssueLists"],
  "the project": ["ProjectProbe", "States"]
} as const

export interface Line {
  readonly what: string
  /** How often there was a reason to ask. */
  readonly occasions: number
  /** Requests that Linear answered. */
  readonly answered: number
  /** At most so many of them. */
  readonly bound: number
  /** Requests that were refused, lost or broken, and tried again where that was allowed. */
  readonly failed: number
  readonly points: number
}

export interface Ledger {
  readonly observe: (step: ObservedStep) => void
  readonly lines: (
    linear: FakeLinear.FakeLinear,
    calls: ReadonlyMap<string, { readonly made: number }>
  ) => ReadonlyArray<Line>
}

export function make(): Ledger {
  let polls = 0
  let pollPages = 0
  let listed = 0
  const reads = { demand: { count: 0, pages: 0, ids: 0 }, refresh: { count: 0, pages: 0, ids: 0 } }
  const startedAt = { first: 0, last: 0 }

  const observe = ({ at, commands, event }: ObservedStep) => {
    if (startedAt.first === 0) startedAt.first = at.wallTime
    startedAt.last = at.wallTime
    if (event._tag === "CandidatesPolled") listed = event.batch.issues.length
    for (const command of commands) {
      if (command._tag === "PollCandidates") {
        polls += 1
        // What is listed may have grown by a few since the last poll.
        pollPages += pages(listed + 5)
      }
      if (command._tag === "ReadIssues") {
        const lane = reads[command.lane]
        lane.count += 1
        lane.ids += command.ids.length
        lane.pages += pages(command.ids.length)
      }
    }
  }

  const lines: Ledger["lines"] = (linear, calls) => {
    const requests = linear.requests()
    const line = (what: string, occasions: number, bound: number, isOne: (operation: string) => boolean): Line => {
      const own = requests.filter(({ operation }) => operation !== null && isOne(operation))
      const answered = own.filter(({ errors, fault, status }) => fault === null && status === 200 && errors.length === 0)
      const points = own.reduce((sum, { complexity }) => sum + (complexity?.documented ?? 0), 0)
      return { what, occasions, answered: answered.length, bound, failed: own.length - answered.length, points }
    }
    const within = (operations: ReadonlyArray<string>) => (operation: string) => operations.includes(operation)
    const { demand, refresh } = reads
    const hours = Math.ceil((startedAt.last - startedAt.first) / 3_600_000)
    const toolCalls = [...calls].reduce((sum, [, { made }]) => sum + made, 0)
    const toolBound = [...calls].reduce((sum, [name, { made }]) => sum + made * (requestsOfTool[name] ?? 0), 0)
    return [
      line("polls", polls, pollPages, within(operationsOf.polls)),
      line(
        `reads: ${refresh.count} beside polls of ${refresh.ids} issues, ${demand.count} for starts and turn ends of ${demand.ids}`,
        demand.count + refresh.count,
        demand.pages + refresh.pages,
        within(operationsOf.reads)
      ),
      line(
        "the issue with 25 labels",
        polls + demand.count + refresh.count,
        polls + demand.count + refresh.count,
        within(operationsOf["long lists"])
      ),
      line("the project", hours, 2 * hours, within(operationsOf["the project"])),
      line("calls of tools", toolCalls, toolBound, (operation) => operation.startsWith("Tool"))
    ]
  }

  return { observe, lines }
}
