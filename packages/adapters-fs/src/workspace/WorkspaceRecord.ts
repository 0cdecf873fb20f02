/**
 * What is kept beside the work, in `.opensymphony/` of each workspace: whose it is, its last run, its session, and the
 * processes in it. No paths (a root can be moved) and no secrets.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { RecordFile } from "./RecordFile.ts"

const version = Schema.Literal(1)

/** A process, named so that a later one with the same number is not taken for it. */
export const ProcessIdentity = Schema.Struct({ pid: Schema.Int, startTime: Schema.String })
export type ProcessIdentity = typeof ProcessIdentity.Type

export const OwnerRecord = Schema.Struct({
  version,
  issueId: Schema.String,
  identifier: Schema.String,
  /** RFC 3339. */
  createdAt: Schema.String,
  /** Whether `before_remove` was started since the last run; it is not started twice. */
  beforeRemoveRan: Schema.Boolean
})
export type OwnerRecord = typeof OwnerRecord.Type
export const ownerFile: RecordFile<OwnerRecord, typeof OwnerRecord.Encoded> = {
  name: "issue.json",
  schema: OwnerRecord
}

/**
 * `preparing`: before_run. `prepared`: the agent's turn. `finishing`: after_run; the outcome is known. `finished`: all
 * over. `interrupted`: its orchestrator ended before the run did.
 */
export const RunStatus = Schema.Literals(["preparing", "prepared", "finishing", "finished", "interrupted"])
export type RunStatus = typeof RunStatus.Type

export const RunManifest = Schema.Struct({
  version,
  runId: Schema.String,
  issueId: Schema.String,
  identifier: Schema.String,
  /** Null on the first run of an issue. */
  attempt: Schema.NullOr(Schema.Int),
  status: RunStatus,
  /** RFC 3339; null where the manifest was lost and written anew at the end of its run. */
  startedAt: Schema.NullOr(Schema.String),
  endedAt: Schema.NullOr(Schema.String),
  /** The word for the outcome, as logs have it; null while the run lasts, and when it was interrupted. */
  outcome: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String),
  /** The orchestrator that runs it. */
  owner: ProcessIdentity
})
export type RunManifest = typeof RunManifest.Type
export const runFile: RecordFile<RunManifest, typeof RunManifest.Encoded> = { name: "run.json", schema: RunManifest }

export const SessionRecord = Schema.Struct({ version, session: Schema.String })
export const sessionFile: RecordFile<typeof SessionRecord.Type, typeof SessionRecord.Encoded> = {
  name: "session.json",
  schema: SessionRecord
}

export const ProcessEntry = Schema.Struct({
  pid: Schema.Int,
  startTime: Schema.String,
  /** `agent`, or the name of the hook. */
  role: Schema.String,
  /** The orchestrator that started it. */
  owner: ProcessIdentity
})
export type ProcessEntry = typeof ProcessEntry.Type

export const ProcessRecord = Schema.Struct({ version, processes: Schema.Array(ProcessEntry) })
export const processFile: RecordFile<typeof ProcessRecord.Type, typeof ProcessRecord.Encoded> = {
  name: "processes.json",
  schema: ProcessRecord
}

/** Says that a directory is not finished; kept outside of it, because `after_create` wants it empty. */
export const CreationMarker = Schema.Struct({
  version,
  issueId: Schema.String,
  identifier: Schema.String,
  startedAt: Schema.String,
  owner: ProcessIdentity,
  processes: Schema.Array(ProcessEntry)
})
export type CreationMarker = typeof CreationMarker.Type

/** The present, as records show it. */
export const now: Effect.Effect<string> = Effect.map(DateTime.now, DateTime.formatIso)

/** The record of a workspace that has just become this issue's. */
export const newOwner = (issue: Issue): Effect.Effect<OwnerRecord> =>
  Effect.map(now, (createdAt) => ({
    version: 1,
    issueId: issue.id,
    identifier: issue.identifier,
    createdAt,
    beforeRemoveRan: false
  }))
