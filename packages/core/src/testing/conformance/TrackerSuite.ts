/**
 * The rules of {@link TrackerBackend} as cases. The subject plays the people and the troubles of its tracker; the suite
 * only reads through the port.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { IssueId } from "../../domain/Ids.ts"
import type { Issue, Priority } from "../../domain/Issue.ts"
import type { IssueBatch, TrackerBackendService } from "../../ports/TrackerBackend.ts"
import {
  type ConformanceCase,
  expectEqual,
  expectEventually,
  expectFailure,
  expectFound,
  expectThat,
  rule
} from "./ConformanceCase.ts"

/** What people write down about an issue. What is left out was never set. */
export interface IssueDraft {
  readonly identifier: string
  readonly title: string
  /** Spelled exactly so. */
  readonly state: string
  readonly description?: string
  readonly priority?: Priority
  readonly labels?: ReadonlyArray<string>
  /** Identifiers of issues that are on the board already. */
  readonly blockedBy?: ReadonlyArray<string>
}

/** A tracker of its own for one case, empty at first, and what people do to it. */
export interface TrackerScene {
  readonly tracker: TrackerBackendService
  /** Adds an issue or replaces the one with this identifier; answers with the id that the tracker knows it by. */
  readonly put: (draft: IssueDraft) => Effect.Effect<IssueId, unknown>
  readonly move: (identifier: string, state: string) => Effect.Effect<void, unknown>
  readonly remove: (identifier: string) => Effect.Effect<void, unknown>
  /** Makes the record of an issue unreadable, in a way in which a record of this tracker can be; `put` mends it. */
  readonly malform: (identifier: string) => Effect.Effect<void, unknown>
  /** Takes the whole tracker away: from now on no read can know what is on the board. */
  readonly breakDown: Effect.Effect<void, unknown>
  /** Brings it back, with what was on it. */
  readonly mend: Effect.Effect<void, unknown>
}

export interface TrackerStates {
  readonly activeStates: ReadonlyArray<string>
  readonly terminalStates: ReadonlyArray<string>
}

/** How to make the tracker under test. */
export interface TrackerSubject<R = never> {
  readonly make: (states: TrackerStates) => Effect.Effect<TrackerScene, unknown, R | Scope.Scope>
  /** Whether `changes` announces what people do; a tracker that only is polled says false. */
  readonly announces: boolean
}

const states: TrackerStates = { activeStates: ["Todo", "In Progress"], terminalStates: ["Done", "Cancelled"] }

const draft = (identifier: string, state = "Todo"): IssueDraft => ({ identifier, title: `About ${identifier}`, state })

const identifiers = (batch: IssueBatch): ReadonlyArray<string> => batch.issues.map(({ identifier }) => identifier)
const sorted = (batch: IssueBatch): ReadonlyArray<string> => [...identifiers(batch)].sort()

/** The issue with this identifier, which must be there and in the shape that the core trusts. */
const issueIn = Effect.fnUntraced(function* (batch: IssueBatch, identifier: string) {
  const found = batch.issues.find((one) => one.identifier === identifier)
  const issue = yield* expectFound(`${identifier} among the issues`, found, batch)
  yield* expectEqual(`the labels of ${identifier}, in lower case and each once`, issue.labels, [
    ...new Set(issue.labels.map((label) => label.toLowerCase()))
  ])
  yield* expectThat(
    `${identifier} to say why it is not dispatchable, and only then`,
    issue.dispatchable === (issue.notDispatchableReason === null),
    issue
  )
  return issue
})

/** A draft that sets everything. */
const full: IssueDraft = {
  identifier: "FULL-1",
  title: 'Everything is set: "quotes", – dashes',
  state: "Todo",
  description: "First line.\n\nThird line.",
  priority: 2,
  labels: ["Backend", "urgent"]
}

const expectFull = (issue: Issue) =>
  expectEqual(
    "what was written about the issue",
    [issue.title, issue.state, issue.description, issue.priority, [...issue.labels].sort()] as ReadonlyArray<unknown>,
    [full.title, full.state, full.description, full.priority, ["backend", "urgent"]]
  )

/** The rules of the port to issues; register each of them. */
export const trackerSuite = <R = never>(
  subject: TrackerSubject<R>
): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => {
  const on = (
    name: string,
    play: (scene: TrackerScene) => Effect.Effect<void, unknown, Scope.Scope>,
    board: TrackerStates = states
  ) => rule(name, Effect.flatMap(subject.make(board), play))

  const announced = on(
    "wakes the poll when something changes",
    Effect.fnUntraced(function* ({ move, put, tracker }) {
      yield* put(draft("A-1"))
      const woken = Deferred.makeUnsafe<void>()
      const listening = tracker.changes.pipe(Stream.runForEach(() => Deferred.succeed(woken, undefined)))
      yield* Effect.forkScoped(listening, { startImmediately: true })
      let moves = 0
      const moved = Effect.suspend(() => move("A-1", moves++ % 2 === 0 ? "In Progress" : "Todo"))
      yield* expectEventually(
        "a wake-up",
        Effect.andThen(
          moved,
          Effect.sync(() => Deferred.isDoneUnsafe(woken))
        )
      )
    })
  )

  return [
    on(
      "lists the issues in an active state, and no others",
      Effect.fnUntraced(function* ({ put, tracker }) {
        for (const [index, state] of ["Todo", "In Progress", "Done", "Backlog"].entries()) {
          yield* put(draft(`A-${index}`, state))
        }
        yield* expectEqual("the candidates", sorted(yield* tracker.candidateIssues), ["A-0", "A-1"])
      })
    ),
    on(
      "lists the issues in a terminal state, and no others",
      Effect.fnUntraced(function* ({ put, tracker }) {
        for (const [index, state] of ["Done", "Todo", "Cancelled", "Backlog"].entries()) {
          yield* put(draft(`A-${index}`, state))
        }
        yield* expectEqual("the terminal issues", sorted(yield* tracker.terminalIssues), ["A-0", "A-2"])
      })
    ),
    on(
      "counts a state as terminal that is named as both",
      Effect.fnUntraced(function* ({ put, tracker }) {
        yield* put(draft("A-1", "Todo"))
        yield* expectEqual("the candidates", identifiers(yield* tracker.candidateIssues), [])
        yield* expectEqual("the terminal issues", identifiers(yield* tracker.terminalIssues), ["A-1"])
      }),
      { activeStates: ["Todo"], terminalStates: ["Todo"] }
    ),
    on(
      "compares names of states without case, and hands them on as the tracker spells them",
      Effect.fnUntraced(function* ({ put, tracker }) {
        yield* put(draft("A-1", "IN progress"))
        const issue = yield* issueIn(yield* tracker.candidateIssues, "A-1")
        yield* expectEqual("the state", issue.state, "IN progress")
      })
    ),
    on(
      "is empty where nothing is",
      Effect.fnUntraced(function* ({ tracker }) {
        const nothing: IssueBatch = { issues: [], malformed: [] }
        yield* expectEqual("the candidates", yield* tracker.candidateIssues, nothing)
        yield* expectEqual("the terminal issues", yield* tracker.terminalIssues, nothing)
      })
    ),
    on(
      "gives the same answer in the same order while nothing changes",
      Effect.fnUntraced(function* ({ put, tracker }) {
        for (const identifier of ["C-3", "A-1", "B-2", "A-10", "A-2"]) yield* put(draft(identifier))
        const first = yield* tracker.candidateIssues
        yield* expectEqual("the second answer", yield* tracker.candidateIssues, first)
      })
    ),
    on(
      "gives all that was written about an issue, labels in lower case",
      Effect.fnUntraced(function* ({ put, tracker }) {
        yield* put(full)
        yield* expectFull(yield* issueIn(yield* tracker.candidateIssues, full.identifier))
      })
    ),
    on(
      "gives null or nothing for what was never set",
      Effect.fnUntraced(function* ({ put, tracker }) {
        yield* put(draft("A-1"))
        const { blockedBy, description, labels, parentId, priority, subIssues } = yield* issueIn(
          yield* tracker.candidateIssues,
          "A-1"
        )
        yield* expectEqual(
          "what was never set",
          { blockedBy, description, labels, parentId, priority, subIssues },
          { blockedBy: [], description: null, labels: [], parentId: null, priority: null, subIssues: [] }
        )
      })
    ),
    on(
      "reads issues by id in any state, as full as the lists have them",
      Effect.fnUntraced(function* ({ put, tracker }) {
        const ids = [yield* put(full), yield* put(draft("A-1", "Done")), yield* put(draft("A-2", "Backlog"))]
        yield* put(draft("A-3"))
        const batch = yield* tracker.issuesByIds(ids)
        yield* expectEqual("the issues", sorted(batch), ["A-1", "A-2", "FULL-1"])
        yield* expectFull(yield* issueIn(batch, full.identifier))
        yield* expectEqual(
          "the snapshot in the list of candidates",
          yield* issueIn(yield* tracker.candidateIssues, full.identifier),
          yield* issueIn(batch, full.identifier)
        )
      })
    ),
    on(
      "answers nothing when asked for nothing",
      Effect.fnUntraced(function* ({ put, tracker }) {
        yield* put(draft("A-1"))
        yield* expectEqual("the answer", yield* tracker.issuesByIds([]), { issues: [], malformed: [] })
      })
    ),
    on(
      "answers once for an id that is asked for twice",
      Effect.fnUntraced(function* ({ put, tracker }) {
        const id = yield* put(draft("A-1"))
        yield* expectEqual("the issues", identifiers(yield* tracker.issuesByIds([id, id])), ["A-1"])
      })
    ),
    on(
      "leaves out an id that is not visible any more, and fails nothing",
      Effect.fnUntraced(function* ({ put, remove, tracker }) {
        const gone = yield* put(draft("A-1"))
        const left = yield* put(draft("A-2"))
        yield* tracker.candidateIssues
        yield* remove("A-1")
        const batch = yield* tracker.issuesByIds([gone, left])
        yield* expectEqual("the issues", identifiers(batch), ["A-2"])
        yield* expectEqual("the malformed records", batch.malformed, [])
        yield* expectEqual("the candidates", identifiers(yield* tracker.candidateIssues), ["A-2"])
      })
    ),
    on(
      "shows a moved issue in its new state at the next read",
      Effect.fnUntraced(function* ({ move, put, tracker }) {
        const id = yield* put(draft("A-1"))
        yield* tracker.candidateIssues
        yield* move("A-1", "Done")
        yield* expectEqual("the candidates", identifiers(yield* tracker.candidateIssues), [])
        yield* expectEqual("the terminal issues", identifiers(yield* tracker.terminalIssues), ["A-1"])
        yield* expectEqual("the state", (yield* issueIn(yield* tracker.issuesByIds([id]), "A-1")).state, "Done")
      })
    ),
    on(
      "shows an edited issue at the next read, under the same id",
      Effect.fnUntraced(function* ({ put, tracker }) {
        const id = yield* put(draft("A-1"))
        yield* tracker.candidateIssues
        yield* expectEqual("the id after the edit", yield* put({ ...draft("A-1"), title: "Another title" }), id)
        const issue = yield* issueIn(yield* tracker.candidateIssues, "A-1")
        yield* expectEqual("the title", issue.title, "Another title")
      })
    ),
    on(
      "gives blockers with their state as of the same read",
      Effect.fnUntraced(function* ({ move, put, tracker }) {
        const blocker = yield* put(draft("A-1"))
        yield* put({ ...draft("A-2"), blockedBy: ["A-1"] })
        const blockers = Effect.gen(function* () {
          const issue = yield* issueIn(yield* tracker.candidateIssues, "A-2")
          return issue.blockedBy.map(({ id, identifier, state }) => ({ id, identifier, state }))
        })
        yield* expectEqual("the blockers", yield* blockers, [{ id: blocker, identifier: "A-1", state: "Todo" }])
        yield* move("A-1", "Done")
        yield* expectEqual("the blockers", yield* blockers, [{ id: blocker, identifier: "A-1", state: "Done" }])
      })
    ),
    on(
      "reports a malformed record beside the good ones, and whose it is",
      Effect.fnUntraced(function* ({ malform, put, tracker }) {
        const id = yield* put(draft("A-1"))
        yield* put(draft("A-2"))
        yield* tracker.candidateIssues
        yield* malform("A-1")
        const { issues, malformed } = yield* tracker.candidateIssues
        yield* expectEqual(
          "the candidates",
          issues.map(({ identifier }) => identifier),
          ["A-2"]
        )
        yield* expectEqual(
          "whose records are malformed",
          malformed.map((record) => record.id),
          [id]
        )
        for (const { message, source } of malformed) {
          yield* expectThat("where the record is", source !== "", source)
          yield* expectThat("what is wrong with it, in one line", /^\S[^\n\r]*$/.test(message), message)
        }
      })
    ),
    on(
      "reports a malformed record that is asked for by id, and does not leave it out",
      Effect.fnUntraced(function* ({ malform, put, tracker }) {
        const bad = yield* put(draft("A-1"))
        const good = yield* put(draft("A-2"))
        yield* tracker.candidateIssues
        yield* malform("A-1")
        const batch = yield* tracker.issuesByIds([bad, good])
        yield* expectEqual("the issues", identifiers(batch), ["A-2"])
        yield* expectEqual(
          "whose records are malformed",
          batch.malformed.map((record) => record.id),
          [bad]
        )
      })
    ),
    on(
      "reads a record again once it is mended",
      Effect.fnUntraced(function* ({ malform, put, tracker }) {
        const id = yield* put(draft("A-1"))
        yield* malform("A-1")
        yield* tracker.candidateIssues
        yield* put(draft("A-1"))
        const batch = yield* tracker.issuesByIds([id])
        yield* expectEqual("the issues", identifiers(batch), ["A-1"])
        yield* expectEqual("the malformed records", batch.malformed, [])
      })
    ),
    on(
      "fails when it cannot know what is on the board, and never takes that for an empty one",
      Effect.fnUntraced(function* ({ breakDown, put, tracker }) {
        const id = yield* put(draft("A-1"))
        yield* tracker.candidateIssues
        yield* breakDown
        for (const read of [tracker.candidateIssues, tracker.terminalIssues, tracker.issuesByIds([id])]) {
          const error = yield* expectFailure("a read of a tracker that is away", read)
          yield* expectThat("a TrackerError", error._tag.startsWith("Tracker"), error._tag)
          yield* expectThat("a message that says what happened", error.message.trim() !== "", error.message)
        }
      })
    ),
    on(
      "reads on once the tracker is back",
      Effect.fnUntraced(function* ({ breakDown, mend, put, tracker }) {
        yield* put(draft("A-1"))
        yield* breakDown
        yield* Effect.exit(tracker.candidateIssues)
        yield* mend
        yield* expectEqual("the candidates", identifiers(yield* tracker.candidateIssues), ["A-1"])
      })
    ),
    ...(subject.announces ? [announced] : [])
  ]
}
