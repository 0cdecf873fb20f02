/**
 * The identities that the core hands around. All are opaque strings: only the adapter that made one may look inside.
 */
import * as Brand from "effect/Brand"

/** Identity of an issue in its tracker, stable over renames and team moves. */
export type IssueId = string & Brand.Brand<"IssueId">
export const IssueId = Brand.nominal<IssueId>()

/** Identity of one run: one worker lifetime for one issue. Never used twice, also not after a restart. */
export type RunId = string & Brand.Brand<"RunId">
export const RunId = Brand.nominal<RunId>()

/** What the agent calls its conversation. A run may resume the session of an earlier run. */
export type SessionId = string & Brand.Brand<"SessionId">
export const SessionId = Brand.nominal<SessionId>()
