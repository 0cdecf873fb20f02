import { describe } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { IssueId } from "../../src/domain/Ids.ts"
import type { Issue } from "../../src/domain/Issue.ts"
import {
  type IssueBatch,
  type MalformedRecord,
  type TrackerBackendService,
  type TrackerError,
  TrackerNotFound
} from "../../src/ports/TrackerBackend.ts"
import { type TrackerScene, trackerSuite } from "../../src/testing/conformance/TrackerSuite.ts"
import { plantAll, type Violations } from "./PlantedViolation.ts"
import { memoryTracker } from "./Trackers.ts"

type Read = Effect.Effect<IssueBatch, TrackerError>

const tracking =
  (change: (tracker: TrackerBackendService) => Partial<TrackerBackendService>) =>
  (scene: TrackerScene): TrackerScene => ({ ...scene, tracker: { ...scene.tracker, ...change(scene.tracker) } })

/** Every read goes through this. */
const reading = (change: (read: Read) => Read) =>
  tracking(({ candidateIssues, issuesByIds, terminalIssues }) => ({
    candidateIssues: change(candidateIssues),
    terminalIssues: change(terminalIssues),
    issuesByIds: (ids) => change(issuesByIds(ids))
  }))

const answering = (change: (batch: IssueBatch) => IssueBatch) => reading(Effect.map(change))
const issues = (change: (issue: Issue) => Issue) =>
  answering((batch) => ({ ...batch, issues: batch.issues.map(change) }))
const candidates = (change: (batch: IssueBatch) => IssueBatch) =>
  tracking(({ candidateIssues }) => ({ candidateIssues: Effect.map(candidateIssues, change) }))
const byIds = (change: (ids: ReadonlyArray<IssueId>, read: TrackerBackendService["issuesByIds"]) => Read) =>
  tracking(({ issuesByIds }) => ({ issuesByIds: (ids) => change(ids, issuesByIds) }))

const nothing: IssueBatch = { issues: [], malformed: [] }
const hidesMalformed = answering((batch) => ({ ...batch, malformed: [] }))

const answersTheSameForever = (scene: TrackerScene): TrackerScene => {
  let first: IssueBatch | null = null
  return candidates((batch) => (first ??= batch))(scene)
}

const violations: Violations<TrackerScene> = {
  "lists the issues in an active state, and no others": tracking(({ terminalIssues }) => ({
    candidateIssues: terminalIssues
  })),
  "lists the issues in a terminal state, and no others": tracking(({ candidateIssues }) => ({
    terminalIssues: candidateIssues
  })),
  "counts a state as terminal that is named as both": tracking(() => ({ terminalIssues: Effect.succeed(nothing) })),
  "compares names of states without case, and hands them on as the tracker spells them": candidates((batch) => ({
    ...batch,
    issues: batch.issues.filter(({ state }) => state === "Todo" || state === "In Progress")
  })),
  "is empty where nothing is": answering((batch) => ({
    ...batch,
    malformed: [{ source: "README.md", id: null, identifier: null, message: "is no issue" }]
  })),
  "gives the same answer in the same order while nothing changes": (scene) => {
    let reads = 0
    return candidates((batch) => (reads++ % 2 === 0 ? batch : { ...batch, issues: batch.issues.toReversed() }))(scene)
  },
  "gives all that was written about an issue, labels in lower case": issues((issue) => ({
    ...issue,
    labels: issue.labels.map((label) => label.toUpperCase())
  })),
  "gives null or nothing for what was never set": issues((issue) => ({
    ...issue,
    description: issue.description ?? ""
  })),
  "reads issues by id in any state, as full as the lists have them": byIds((ids, read) =>
    Effect.map(read(ids), (batch) => ({
      ...batch,
      issues: batch.issues.map((issue) => ({ ...issue, description: null }))
    }))
  ),
  "answers nothing when asked for nothing": tracking(({ candidateIssues, issuesByIds }) => ({
    issuesByIds: (ids) => (ids.length === 0 ? candidateIssues : issuesByIds(ids))
  })),
  "answers once for an id that is asked for twice": byIds((ids, read) =>
    Effect.map(
      Effect.forEach(ids, (id) => read([id])),
      (batches) => ({
        issues: batches.flatMap((batch) => batch.issues),
        malformed: []
      })
    )
  ),
  "leaves out an id that is not visible any more, and fails nothing": byIds((ids, read) =>
    Effect.flatMap(read(ids), (batch) =>
      batch.issues.length < ids.length
        ? Effect.fail(new TrackerNotFound({ message: "no such issue" }))
        : Effect.succeed(batch)
    )
  ),
  "shows a moved issue in its new state at the next read": answersTheSameForever,
  "shows an edited issue at the next read, under the same id": answersTheSameForever,
  "gives blockers with their state as of the same read": issues((issue) => ({
    ...issue,
    blockedBy: issue.blockedBy.map((blocker) => ({ ...blocker, state: "Todo" }))
  })),
  "reports a malformed record beside the good ones, and whose it is": answering((batch) => ({
    ...batch,
    malformed: batch.malformed.map((record) => ({ ...record, id: null }))
  })),
  "reports a malformed record that is asked for by id, and does not leave it out": hidesMalformed,
  "reads a record again once it is mended": (scene) => {
    let unreadable: ReadonlyArray<MalformedRecord> = []
    return answering((batch) => {
      unreadable = [...unreadable, ...batch.malformed]
      return { ...batch, malformed: unreadable }
    })(scene)
  },
  "fails when it cannot know what is on the board, and never takes that for an empty one": reading(
    Effect.catch(() => Effect.succeed(nothing))
  ),
  "reads on once the tracker is back": (scene) => {
    let failure: TrackerError | null = null
    return reading((read) =>
      Effect.suspend(() => (failure === null ? read : Effect.fail(failure))).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            failure = error
          })
        )
      )
    )(scene)
  },
  "wakes the poll when something changes": tracking(() => ({ changes: Stream.never }))
}

describe("the tracker suite", () => {
  plantAll(violations, (plant) =>
    trackerSuite({ ...memoryTracker, make: (states) => Effect.map(memoryTracker.make(states), plant) })
  )
})
