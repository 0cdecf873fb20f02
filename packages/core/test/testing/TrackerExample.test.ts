import { describe, it } from "@effect/vitest"
import { Issue, IssueId, type TrackerBackendService, TrackerTransportError } from "@opensymphony/core"
import { type IssueDraft, trackerSuite, type TrackerStates, type TrackerSubject } from "@opensymphony/core/testing"
import { Effect, Stream } from "effect"

interface Sheet {
  readonly rows: Map<string, IssueDraft | "unreadable">
  isLocked: boolean
}

/** The adapter: a sheet with one issue per row. */
const sheetTracker = (sheet: Sheet, { activeStates, terminalStates }: TrackerStates): TrackerBackendService => {
  const isIn = (states: ReadonlyArray<string>, state: string) =>
    states.map(Issue.stateKey).includes(Issue.stateKey(state))
  const reference = (identifier: string): Issue.IssueReference => {
    const row = sheet.rows.get(identifier)
    const state = row === undefined || row === "unreadable" ? null : row.state
    return { id: IssueId(identifier), identifier, state, note: null }
  }
  const read = (isWanted: (issue: Issue.Issue) => boolean, isAsked: (id: IssueId) => boolean = () => true) =>
    Effect.suspend(() => {
      if (sheet.isLocked) return Effect.fail(new TrackerTransportError({ message: "the sheet is locked; unlock it" }))
      const issues: Array<Issue.Issue> = []
      const malformed = []
      for (const [identifier, row] of sheet.rows) {
        const id = IssueId(identifier)
        if (row === "unreadable") {
          if (isAsked(id)) malformed.push({ source: `row ${identifier}`, id, identifier, message: "no title; add one" })
          continue
        }
        const issue = Issue.make({ ...row, id, blockedBy: (row.blockedBy ?? []).map(reference) })
        if (isAsked(id) && isWanted(issue)) issues.push(issue)
      }
      return Effect.succeed({ issues, malformed })
    })
  return {
    candidateIssues: read(({ state }) => isIn(activeStates, state) && !isIn(terminalStates, state)),
    terminalIssues: read(({ state }) => isIn(terminalStates, state)),
    issuesByIds: (ids) =>
      read(
        () => true,
        (id) => ids.includes(id)
      ),
    changes: Stream.empty
  }
}

/** How the suite gets a fresh one, and what people do to it. */
const subject: TrackerSubject = {
  announces: false,
  make: (states) =>
    Effect.sync(() => {
      const sheet: Sheet = { rows: new Map(), isLocked: false }
      const lock = (isLocked: boolean) => Effect.sync(() => void (sheet.isLocked = isLocked))
      const write = (identifier: string, change: (row: IssueDraft) => IssueDraft | "unreadable") =>
        Effect.sync(() => {
          const row = sheet.rows.get(identifier)
          if (row !== undefined && row !== "unreadable") sheet.rows.set(identifier, change(row))
        })
      return {
        tracker: sheetTracker(sheet, states),
        put: (draft) => Effect.sync(() => (sheet.rows.set(draft.identifier, draft), IssueId(draft.identifier))),
        move: (identifier, state) => write(identifier, (row) => ({ ...row, state })),
        remove: (identifier) => Effect.sync(() => void sheet.rows.delete(identifier)),
        malform: (identifier) => write(identifier, () => "unreadable"),
        breakDown: lock(true),
        mend: lock(false)
      }
    })
}

describe("sheetTracker", () => {
  for (const { effect, name } of trackerSuite(subject)) it.live(name, () => effect)
})
