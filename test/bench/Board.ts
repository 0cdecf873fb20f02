// Boards of any size. Issues come the way an adapter delivers them: decoded anew at every read, so that two reads are
// equal but share no object and no long string.
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"

const firstCreatedAtMs = Date.UTC(2026, 0, 1)

/** As long as the ids of a hosted tracker. */
export const idOf = (number: number): IssueId =>
  IssueId(`0b9fc7a2-5d31-4c1e-9f27-${number.toString(16).padStart(12, "0")}`)

const priorities = [1, 2, 3, 4, null] as const

const description = (number: number): string =>
  `What should be different once task ${number} is done, and how one can see it. `.repeat(6).trim()

const reference = (number: number, state: string): Issue.IssueReference => ({
  id: idOf(number),
  identifier: `BENCH-${number}`,
  state,
  note: null
})

/**
 * The issue with this number, on the board of `size`: five priorities; one issue in ten had a blocker that is done,
 * one in twenty has a closed sub-issue, neither of which is on the board.
 */
export const issue = (number: number, size: number): Issue.Issue =>
  Issue.make({
    id: idOf(number),
    identifier: `BENCH-${number}`,
    title: `Task ${number}: one thing that has to change on this board`,
    description: description(number),
    state: number % 3 === 0 ? "In Progress" : "Todo",
    stateType: "unstarted",
    priority: priorities[number % priorities.length] ?? null,
    url: `https://tracker.example/issue/BENCH-${number}`,
    branchName: `bench-${number}-one-thing-that-has-to-change`,
    labels: ["bench", number % 2 === 0 ? "backend" : "frontend"],
    blockedBy: number % 10 === 0 ? [reference(size + number, "Done")] : [],
    subIssues: number % 20 === 5 ? [reference(2 * size + number, "Closed")] : [],
    createdAtMs: firstCreatedAtMs + ((number * 7_919) % size) * 60_000,
    updatedAtMs: firstCreatedAtMs + number * 61_000
  })

export const board = (size: number): ReadonlyArray<Issue.Issue> =>
  Array.from({ length: size }, (_, index) => issue(index + 1, size))

const decoded = (issue: Issue.Issue): Issue.Issue => JSON.parse(JSON.stringify(issue)) as Issue.Issue

/** The next read of the same board. */
export const reread = (issues: ReadonlyArray<Issue.Issue>): ReadonlyArray<Issue.Issue> => issues.map(decoded)

/**
 * The next read of a board on which one issue in a hundred changed: of those, in turn, one was edited, one has another
 * priority, one left the active states and so is listed no more, and one was replaced by a new issue.
 */
export function rereadChanged(issues: ReadonlyArray<Issue.Issue>): ReadonlyArray<Issue.Issue> {
  return issues.flatMap((before, index) => {
    const after = decoded(before)
    if (index % 100 !== 50) return [after]
    switch (((index - 50) / 100) % 4) {
      case 0:
        return [{ ...after, title: `${after.title}, said more clearly` }]
      case 1:
        return [{ ...after, priority: after.priority === 1 ? 2 : 1 }]
      case 2:
        return []
      default:
        return [{ ...issue(3 * issues.length + index, issues.length) }]
    }
  })
}

/** The same issues, each waiting for a blocker that is not done and is not on the board. */
export const blocked = (issues: ReadonlyArray<Issue.Issue>): ReadonlyArray<Issue.Issue> =>
  issues.map((issue, index) => ({ ...issue, blockedBy: [reference(4 * issues.length + index, "Todo")] }))

/** The same, and of the highest priority, so that they come before all others. */
export const urgentAndBlocked = (issues: ReadonlyArray<Issue.Issue>): ReadonlyArray<Issue.Issue> =>
  blocked(issues).map((issue) => ({ ...issue, priority: 1, subIssues: [], createdAtMs: 0 }))
