/**
 * What can go wrong between this process and Linear, one class per cause that a caller can act on. A message never
 * contains the credential, the variables of a request, or more than a bounded piece of what Linear wrote.
 */
import * as Data from "effect/Data"

interface Fields {
  /** What happened to what, and what to do. */
  readonly message: string
}

/** The budget of the credential is used up, or what is left is kept for something more important. */
export class LinearRateLimited extends Data.TaggedError("LinearRateLimited")<
  Fields & {
    /** When to ask again (epoch milliseconds); null when nobody said. */
    readonly retryAtMs: number | null
  }
> {}
/** One query asks for more than Linear allows; a smaller page may pass. */
export class LinearTooComplex extends Data.TaggedError("LinearTooComplex")<
  Fields & {
    /** What the query would have cost, when Linear said so. */
    readonly points: number | null
  }
> {}
/** The API key is refused. Waiting does not help. */
export class LinearAuthError extends Data.TaggedError("LinearAuthError")<Fields> {}
/** The key is good, but its user may not do this, or the workspace's plan does not include it. */
export class LinearForbidden extends Data.TaggedError("LinearForbidden")<Fields> {}
/** Linear does not understand a document of ours: its schema changed. */
export class LinearSchemaDrift extends Data.TaggedError("LinearSchemaDrift")<Fields> {}
/** What was asked for by name or id does not exist, or this key cannot see it. */
export class LinearNotFound extends Data.TaggedError("LinearNotFound")<Fields> {}
/** Linear refuses a value: a malformed id, a page that is too long. */
export class LinearInvalidArgument extends Data.TaggedError("LinearInvalidArgument")<Fields> {}
/** Linear refuses a change, in words that it means for people; they are in the message. */
export class LinearRefused extends Data.TaggedError("LinearRefused")<Fields> {}
/** Linear could not be reached, or failed by itself. */
export class LinearTransportError extends Data.TaggedError("LinearTransportError")<Fields> {}
/** No complete answer within the time limit of a request. */
export class LinearTimeout extends Data.TaggedError("LinearTimeout")<Fields> {}
/** An answer that is not what Linear sends: no JSON, or not of the expected shape. */
export class LinearBadResponse extends Data.TaggedError("LinearBadResponse")<Fields> {}
/** An answer with data and errors. Whoever cannot tell which of its data is missing takes it for a failure. */
export class LinearPartialData extends Data.TaggedError("LinearPartialData")<
  Fields & {
    /** As Linear sent it. */
    readonly data?: unknown
    /** Where the errors are in it; an error without a path has an empty one. */
    readonly paths?: ReadonlyArray<ReadonlyArray<string | number>>
  }
> {}

export type LinearError =
  | LinearRateLimited
  | LinearTooComplex
  | LinearAuthError
  | LinearForbidden
  | LinearSchemaDrift
  | LinearNotFound
  | LinearInvalidArgument
  | LinearRefused
  | LinearTransportError
  | LinearTimeout
  | LinearBadResponse
  | LinearPartialData

/** The endpoint or the key cannot work, whatever Linear says. */
export class LinearConfigurationError extends Data.TaggedError("LinearConfigurationError")<Fields> {}
