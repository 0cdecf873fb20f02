/** Which conversation an issue has, by what is recorded in its workspace, or else by what the server knows. */
import type { ApiError } from "@opensymphony/adapters-openhands/client/ApiError"
import type { ConversationInfo } from "@opensymphony/adapters-openhands/client/ConversationInfo"
import { patiently } from "@opensymphony/adapters-openhands/client/Patience"
import * as ConversationsOfIssue from "@opensymphony/adapters-openhands/operator/ConversationsOfIssue"
import type { ServerAccess } from "@opensymphony/adapters-openhands/operator/ServerAccess"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Adapters from "../Adapters.ts"
import { CommandFailed } from "./CommandFailed.ts"
import * as IssueWorkspace from "./IssueWorkspace.ts"
import * as KnownIssue from "./KnownIssue.ts"

export interface Subject {
  readonly identifier: string
  /** Null when it was removed, or never made. */
  readonly workspace: Workspace | null
  /** The conversation that is on record; null when none is. */
  readonly session: string | null
}

const failed = (message: string) => new CommandFailed({ message })

const isConversationId = (text: string): boolean => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)

/** What there is of an issue without a workspace. */
const withoutWorkspace = Effect.fnUntraced(function* (
  workflow: Workflow,
  wanted: string
): Effect.fn.Return<Subject, CommandFailed, Adapters.Platform> {
  const { root } = workflow.workspace
  const known = yield* Adapters.openTracker(workflow).pipe(
    Effect.flatMap((tracker) => KnownIssue.find(tracker, wanted)),
    Effect.scoped,
    Effect.mapError(({ message }) =>
      failed(`${wanted} has no workspace in ${root}, and whether there is such an issue cannot be told: ${message}`)
    )
  )
  if (known !== null) return { identifier: known.identifier, workspace: null, session: null }
  return yield* failed(
    `there is no issue ${wanted}: the tracker lists none among the active and the terminal ones, and ${root} has no ` +
      "workspace of it; check how its identifier is spelled"
  )
})

/** Looks an issue up. Fails when it is unknown, or was worked on by another runtime. */
export const subjectOf = Effect.fnUntraced(function* (
  workflow: Workflow,
  wanted: string
): Effect.fn.Return<Subject, CommandFailed, Adapters.Platform | FileSystem.FileSystem | Path.Path> {
  const workspace = yield* IssueWorkspace.find(workflow.workspace.root, wanted)
  if (workspace === null) return yield* withoutWorkspace(workflow, wanted)
  const { identifier } = workspace
  const session = yield* IssueWorkspace.sessionOf(workspace)
  if (session === null || isConversationId(session)) return { identifier, workspace, session }
  return yield* failed(
    `the last session of ${identifier} was one of another runtime (${workspace.path}/.opensymphony/session.json does not ` +
      "name a conversation); its next run begins a conversation"
  )
})

/** The conversation that is on record, or else the newest one that was made for the issue. */
export const find = Effect.fnUntraced(function* (
  { identifier, session, workspace }: Subject,
  { api, connection, endpoint }: ServerAccess
): Effect.fn.Return<ConversationInfo, ApiError | CommandFailed> {
  if (session !== null) {
    return yield* Effect.catch(patiently(api.get(session)), (error): Effect.Effect<never, ApiError | CommandFailed> =>
      error.problem === "missing"
        ? failed(
            `conversation ${session} of ${identifier} is gone from the server at ${endpoint.baseUrl}; ` +
              "the next run of the issue begins a new one"
          )
        : Effect.fail(error)
    )
  }
  const found = yield* ConversationsOfIssue.newest(connection, identifier)
  if (found !== null) return found
  return yield* failed(
    workspace === null
      ? `${identifier} has no workspace here, and the server at ${endpoint.baseUrl} has no conversation of it: no run of it ` +
          "has begun, or everything was removed since"
      : `no session of ${identifier} is on record in ${workspace.path}, and the server at ${endpoint.baseUrl} has no ` +
          "conversation of it: none of its runs has come to a first turn"
  )
})
