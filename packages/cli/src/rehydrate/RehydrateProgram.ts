/**
 * `opensymphony rehydrate`: puts a new conversation in the place of an issue's, told what is known of the old one. Its
 * next run goes on in it. What is on record changes only when the new one is seen to be sound; the old one is kept.
 * Answers with the exit status.
 */
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import * as AgentServerVersion from "@opensymphony/adapters-openhands/client/ServerVersion"
import { isAtRest } from "@opensymphony/adapters-openhands/client/ConversationInfo"
import { patiently } from "@opensymphony/adapters-openhands/client/Patience"
import * as Rehydration from "@opensymphony/adapters-openhands/operator/Rehydration"
import * as ServerAccess from "@opensymphony/adapters-openhands/operator/ServerAccess"
import { SessionId } from "@opensymphony/core/domain/Ids"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { given } from "../adapters/OpenHandsAdapters.ts"
import type { Platform } from "../Adapters.ts"
import { CommandFailed } from "../debug/CommandFailed.ts"
import * as CommandLog from "../debug/CommandLog.ts"
import * as ConversationWorkflow from "../debug/ConversationWorkflow.ts"
import * as IssueConversation from "../debug/IssueConversation.ts"
import * as Signals from "../Signals.ts"
import type { UnusableWorkflow } from "../WorkflowFile.ts"
import * as NextRun from "./NextRun.ts"

export interface RehydrateOptions {
  /** Identifier or id. */
  readonly issue: string
  /** Path of the workflow as given, relative to the working directory; null: the usual one. */
  readonly workflow: string | null
  /** Show what the new conversation would be told, and make none. */
  readonly dryRun: boolean
}

type Failure = { readonly message: string }

const failed = (message: string) => new CommandFailed({ message })

/** The issue with a workspace and a conversation on record: without them there is nothing to put another in place of. */
const subjectOf = Effect.fnUntraced(function* (
  { settings, workflow }: ConversationWorkflow.ConversationWorkflow,
  issue: string
) {
  if (settings.conversation.reusePolicy === "fresh_each_run") {
    return yield* failed(
      "openhands.conversation.reuse_policy is fresh_each_run: every run begins a conversation of its own anyway"
    )
  }
  const { identifier, session, workspace } = yield* IssueConversation.subjectOf(workflow, issue)
  if (workspace !== null && session !== null) return { identifier, workspace, session }
  const what = workspace === null ? "workspace" : "conversation on record"
  return yield* failed(`${identifier} has no ${what}: its next run begins a new conversation anyway`)
})

const checkVersion = Effect.fnUntraced(function* ({ api }: ServerAccess.ServerAccess) {
  const { version } = yield* patiently(api.version)
  const judgement = AgentServerVersion.judge(version)
  if (judgement._tag === "Unsupported") return yield* failed(judgement.message)
})

/** The old conversation, told as what is kept. */
const checkEarlier = Effect.fnUntraced(function* (
  access: ServerAccess.ServerAccess,
  identifier: string,
  earlier: string
): Effect.fn.Return<string, Failure> {
  const found = yield* Rehydration.earlierOf({ access, earlier })
  if (found === null) {
    return `the one before, ${earlier}, is gone from the server: only the workspace and the issue's notes were left of it`
  }
  if (!isAtRest(found.status)) {
    return yield* failed(
      `conversation ${earlier} of ${identifier} is ${found.status}; wait until it is at rest: ` +
        `opensymphony debug ${identifier} --follow`
    )
  }
  if (!(yield* Rehydration.hasWorked({ access, earlier }))) {
    return yield* failed(
      `nothing was done yet in conversation ${earlier} of ${identifier}, so there is nothing to carry over; ` +
        "its next run goes on in it"
    )
  }
  return `the one before, ${earlier}, is kept on the server as it is: opensymphony debug ${identifier} --conversation ${earlier}`
})

const recordSession = Effect.fnUntraced(function* (
  { hooks, path, workspace: { remove, root } }: Workflow,
  workspace: Workspace,
  conversation: string
): Effect.fn.Return<void, Failure, Platform | Scope.Scope> {
  const layer = FilesystemWorkspaces.layer({ root, remove, hooks, hookEnvironment: {}, workflowPath: path })
  const workspaces = Context.get(yield* Layer.build(layer), WorkspaceBackend)
  yield* workspaces.writeSession(workspace, SessionId(conversation))
})

/** Everything but the signals. */
const work = Effect.fnUntraced(function* (
  options: RehydrateOptions,
  loaded: ConversationWorkflow.ConversationWorkflow,
  environment: Environment
): Effect.fn.Return<void, Failure, ServerAccess.AccessServices | Platform | Scope.Scope> {
  const { settings, workflow } = loaded
  const { identifier, session, workspace } = yield* subjectOf(loaded, options.issue)
  yield* ServerAccess.claim(loaded.access, `giving ${identifier} a new conversation`)
  const access = yield* ServerAccess.open(loaded.access, { claimed: true })
  yield* checkVersion(access)
  const before = yield* checkEarlier(access, identifier, session)
  const rehydration: Rehydration.RehydrationOptions = {
    access,
    settings,
    environment: given(environment),
    stopTimeoutMs: workflow.agent.stopTimeoutMs,
    request: yield* NextRun.open(workflow, workspace, session),
    earlier: session
  }
  if (options.dryRun) {
    yield* Console.log(`a new conversation of ${identifier} would be told:\n`)
    return yield* Console.log(yield* Rehydration.contextOf(rehydration))
  }
  const { context, conversation } = yield* Rehydration.rehydrate(rehydration)
  yield* recordSession(workflow, workspace, conversation).pipe(
    Effect.uninterruptible,
    Effect.mapError(({ message }) => ({
      message: `conversation ${conversation} was made, and is not on record, so that ${session} stays the one of ${identifier}: ${message}`
    }))
  )
  yield* Console.log(
    `the next run of ${identifier} goes on in conversation ${conversation}, which was told ${context.length} characters of what is known`
  )
  yield* Console.log(before)
})

/** Ends with the work or a signal; the status is what the process should exit with. */
export const rehydrate = Effect.fnUntraced(function* (
  options: RehydrateOptions,
  environment: Environment
): Effect.fn.Return<number, CommandFailed | UnusableWorkflow, Platform> {
  const loaded = yield* ConversationWorkflow.load(options.workflow, environment)
  const { redact } = loaded
  return yield* Effect.gen(function* () {
    const signal = yield* Signals.first
    const stopped = Effect.map(Deferred.await(signal), (name) => Signals.exitStatus[name])
    return yield* Effect.raceFirst(Effect.as(Effect.scoped(work(options, loaded, environment)), 0), stopped)
  }).pipe(
    Effect.scoped,
    Effect.provide([FetchHttpClient.layer, CommandLog.layer(environment, redact)]),
    Effect.mapError(({ message }) => failed(redact(message)))
  )
})
