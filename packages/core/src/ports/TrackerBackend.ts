/**
 * The port to where issues live. An adapter reads; it never decides what runs. Its layer is built from the tracker
 * section of a workflow, so it knows the active and terminal states, the project or folder, and the credential.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { IssueId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"

/** A record that the tracker returned and the adapter could not read. It costs nothing but itself. */
export interface MalformedRecord {
  /** Where it is: `issues/ABC-1.md:3`, or the provider's id. */
  readonly source: string
  /** The issue it is or last was, when that is known: such an issue is not gone, only unreadable. */
  readonly id: IssueId | null
  readonly identifier: string | null
  /** What is wrong and how to mend it, in one line. */
  readonly message: string
}

/** What one read returned: full, current snapshots, and beside them what could not be read. */
export interface IssueBatch {
  readonly issues: ReadonlyArray<Issue>
  readonly malformed: ReadonlyArray<MalformedRecord>
}

interface Fields {
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
}

/** The credential is refused. Waiting does not help. */
export class TrackerAuthError extends Data.TaggedError("TrackerAuthError")<Fields> {
  readonly retryable = false
}
/** The tracker asks for patience until `retryAtMs` (epoch milliseconds), or does not say how long. */
export class TrackerRateLimited extends Data.TaggedError("TrackerRateLimited")<
  Fields & { readonly retryAtMs: number | null }
> {
  readonly retryable = true
}
/** The tracker could not be reached, or its disk could not be read. */
export class TrackerTransportError extends Data.TaggedError("TrackerTransportError")<Fields> {
  readonly retryable = true
}
export class TrackerTimeout extends Data.TaggedError("TrackerTimeout")<Fields> {
  readonly retryable = true
}
/** The tracker answered with something that as a whole makes no sense; one odd record is a {@link MalformedRecord}. */
export class TrackerInvalidResponse extends Data.TaggedError("TrackerInvalidResponse")<Fields> {
  readonly retryable = true
}
export class TrackerNotFound extends Data.TaggedError("TrackerNotFound")<Fields> {
  readonly retryable = false
}
export class TrackerPermissionDenied extends Data.TaggedError("TrackerPermissionDenied")<Fields> {
  readonly retryable = false
}
/** The settings cannot work: a folder that does not exist, a state nobody has. */
export class TrackerConfigurationError extends Data.TaggedError("TrackerConfigurationError")<Fields> {
  readonly retryable = false
}

export type TrackerError =
  | TrackerAuthError
  | TrackerRateLimited
  | TrackerTransportError
  | TrackerTimeout
  | TrackerInvalidResponse
  | TrackerNotFound
  | TrackerPermissionDenied
  | TrackerConfigurationError

export interface TrackerBackendService {
  /** All issues in an active state. */
  readonly candidateIssues: Effect.Effect<IssueBatch, TrackerError>
  /** All issues in a terminal state. The orchestrator never polls this; it is for tools and start-up checks. */
  readonly terminalIssues: Effect.Effect<IssueBatch, TrackerError>
  /**
   * Current snapshots of these issues, in any state. An id that is not visible (deleted, moved away) is absent from
   * the answer and fails nothing.
   */
  readonly issuesByIds: (ids: ReadonlyArray<IssueId>) => Effect.Effect<IssueBatch, TrackerError>
  /** Emits when something may have changed. Only wakes the poll; polling stays the truth. Never fails; may be empty. */
  readonly changes: Stream.Stream<void>
}

export class TrackerBackend extends Context.Service<TrackerBackend, TrackerBackendService>()(
  "@opensymphony/core/TrackerBackend"
) {}
