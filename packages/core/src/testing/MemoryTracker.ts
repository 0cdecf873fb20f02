/**
 * A tracker in memory: a TrackerBackend whose people a test plays. Issues are put, moved, edited and removed through
 * the handle; reads can be slowed down, made to fail, and are logged.
 *
 * The state inside a reference (a blocker, a sub-issue) is that of the issue itself when the tracker has it, as in one
 * read of a real tracker.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { IssueId } from "../domain/Ids.ts"
import { type Issue, type IssueReference, stateKey } from "../domain/Issue.ts"
import * as Policy from "../domain/Policy.ts"
import {
  type IssueBatch,
  type MalformedRecord,
  TrackerBackend,
  type TrackerBackendService,
  type TrackerError
} from "../ports/TrackerBackend.ts"
import * as CallLog from "./CallLog.ts"

export interface Options {
  /** Names of states; the workflow's defaults unless told. */
  readonly activeStates?: ReadonlyArray<string>
  readonly terminalStates?: ReadonlyArray<string>
  /** How long a read takes, in milliseconds of the Clock; 0 unless told. */
  readonly latencyMs?: number
  /** Whether every change is announced in `changes`; only {@link MemoryTracker.announce} does unless told. */
  readonly announce?: boolean
}

export interface TrackerRequest {
  readonly operation: "candidateIssues" | "terminalIssues" | "issuesByIds"
  /** What was asked for; empty for the two lists. */
  readonly ids: ReadonlyArray<IssueId>
}

export interface MemoryTracker {
  readonly service: TrackerBackendService
  readonly layer: Layer.Layer<TrackerBackend>
  /** Adds an issue or replaces the one with its id. */
  readonly put: (issue: Issue) => Effect.Effect<void>
  /** Moves an issue to another state and stamps `updatedAtMs`. An unknown id does nothing. */
  readonly move: (id: IssueId, state: string) => Effect.Effect<void>
  /** Edits an issue and stamps `updatedAtMs`. An unknown id does nothing. */
  readonly update: (id: IssueId, edit: (issue: Issue) => Issue) => Effect.Effect<void>
  /** Deletes an issue, as if it was never there. */
  readonly remove: (id: IssueId) => Effect.Effect<void>
  /** Makes a record unreadable (`message` says why) or readable again (null). */
  readonly setMalformed: (id: IssueId, message: string | null) => Effect.Effect<void>
  /** Lets the next reads fail; one unless told. */
  readonly failNext: (error: TrackerError, times?: number) => Effect.Effect<void>
  /** Lets all reads fail until it is called with null. */
  readonly failWith: (error: TrackerError | null) => Effect.Effect<void>
  readonly setLatency: (millis: number) => Effect.Effect<void>
  /** Emits in `changes`. */
  readonly announce: Effect.Effect<void>
  readonly get: (id: IssueId) => Effect.Effect<Issue | null>
  readonly issues: Effect.Effect<ReadonlyArray<Issue>>
  readonly requests: CallLog.CallLog<TrackerRequest>
}

/** A tracker that holds these issues. */
export const make = Effect.fnUntraced(function* (
  initial: ReadonlyArray<Issue> = [],
  options: Options = {}
): Effect.fn.Return<MemoryTracker> {
  const active = new Set((options.activeStates ?? Policy.defaults.activeStates).map(stateKey))
  const terminal = new Set((options.terminalStates ?? Policy.defaults.terminalStates).map(stateKey))
  const issues = new Map(initial.map((issue) => [issue.id, issue]))
  const malformed = new Map<IssueId, string>()
  const requests = CallLog.makeUnsafe<TrackerRequest>()
  const changes = yield* PubSub.sliding<void>(1)
  let latencyMs = options.latencyMs ?? 0
  let failures: ReadonlyArray<TrackerError> = []
  let outage: TrackerError | null = null

  const announce = Effect.asVoid(PubSub.publish(changes, undefined))

  const change = (act: () => void): Effect.Effect<void> =>
    Effect.andThen(Effect.sync(act), options.announce === true ? announce : Effect.void)

  const currentReference = (reference: IssueReference): IssueReference => {
    const state = issues.get(reference.id)?.state
    return state === undefined || state === reference.state ? reference : { ...reference, state }
  }

  const snapshot = (issue: Issue): Issue =>
    issue.blockedBy.length === 0 && issue.subIssues.length === 0
      ? issue
      : {
          ...issue,
          blockedBy: issue.blockedBy.map(currentReference),
          subIssues: issue.subIssues.map(currentReference)
        }

  const batch = (ids: Iterable<IssueId>, wanted: (issue: Issue) => boolean): IssueBatch => {
    const found: Array<Issue> = []
    const unreadable: Array<MalformedRecord> = []
    for (const id of ids) {
      const issue = issues.get(id)
      const message = malformed.get(id)
      if (message !== undefined) {
        unreadable.push({ source: `memory:${id}`, id, identifier: issue?.identifier ?? null, message })
      } else if (issue !== undefined && wanted(issue)) {
        found.push(snapshot(issue))
      }
    }
    return { issues: found, malformed: unreadable }
  }

  const read = (
    operation: TrackerRequest["operation"],
    ids: ReadonlyArray<IssueId>,
    answer: () => IssueBatch
  ): Effect.Effect<IssueBatch, TrackerError> =>
    Effect.gen(function* () {
      yield* requests.record({ operation, ids })
      if (latencyMs > 0) yield* Effect.sleep(latencyMs)
      const [failure, ...later] = failures
      failures = later
      const error = failure ?? outage
      return error === null ? answer() : yield* Effect.fail(error)
    })

  const all = (wanted: (state: string) => boolean) => (): IssueBatch =>
    batch(malformed.size === 0 ? issues.keys() : new Set([...issues.keys(), ...malformed.keys()]), (issue) =>
      wanted(stateKey(issue.state))
    )

  const service: TrackerBackendService = {
    // Terminal wins where a state is in both lists.
    candidateIssues: read(
      "candidateIssues",
      [],
      all((state) => active.has(state) && !terminal.has(state))
    ),
    terminalIssues: read(
      "terminalIssues",
      [],
      all((state) => terminal.has(state))
    ),
    issuesByIds: (ids) => read("issuesByIds", ids, () => batch(new Set(ids), () => true)),
    changes: Stream.fromPubSub(changes)
  }

  const update = (id: IssueId, edit: (issue: Issue) => Issue): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (updatedAtMs) =>
      change(() => {
        const issue = issues.get(id)
        if (issue !== undefined) issues.set(id, { ...edit(issue), id, updatedAtMs })
      })
    )

  return {
    service,
    layer: Layer.succeed(TrackerBackend, service),
    put: (issue) => change(() => issues.set(issue.id, issue)),
    move: (id, state) => update(id, (issue) => ({ ...issue, state })),
    update,
    remove: (id) =>
      change(() => {
        issues.delete(id)
        malformed.delete(id)
      }),
    setMalformed: (id, message) =>
      change(() => {
        if (message === null) malformed.delete(id)
        else malformed.set(id, message)
      }),
    failNext: (error, times = 1) =>
      Effect.sync(() => {
        failures = [...failures, ...Array.from({ length: times }, () => error)]
      }),
    failWith: (error) =>
      Effect.sync(() => {
        outage = error
      }),
    setLatency: (millis) =>
      Effect.sync(() => {
        latencyMs = millis
      }),
    announce,
    get: (id) => Effect.sync(() => issues.get(id) ?? null),
    issues: Effect.sync(() => [...issues.values()]),
    requests
  }
})
