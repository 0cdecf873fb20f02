/**
 * The port to what outlives the process: counters, retry due times, holds, run history and usage.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { JournalRecord, StoredState } from "../domain/Journal.ts"

/** The store could not read or write. The orchestrator starts nothing whose record was not kept. */
export class RunStoreError extends Data.TaggedError("RunStoreError")<{
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
}> {}

/** A record with the instant it was written for, in epoch milliseconds. */
export interface StampedRecord {
  readonly atWallMs: number
  readonly record: JournalRecord
}

export interface RunStoreService {
  /** The newest projections of all that was appended. */
  readonly load: Effect.Effect<StoredState, RunStoreError>
  /** Keeps the records, in order, before it returns: all of them or none. */
  readonly append: (records: ReadonlyArray<StampedRecord>) => Effect.Effect<void, RunStoreError>
}

export class RunStore extends Context.Service<RunStore, RunStoreService>()("@opensymphony/core/RunStore") {}
