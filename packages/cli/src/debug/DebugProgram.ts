/**
 * `opensymphony debug`: shows the conversation of an issue, follows it, or says something in it. Answers with the exit
 * status. Reading is possible at any time; saying something needs the workspace root, so that no run is under way.
 */
import type { ApiError } from "@opensymphony/adapters-openhands/client/ApiError"
import { type ConversationInfo, isAtRest } from "@opensymphony/adapters-openhands/client/ConversationInfo"
import * as ConversationLog from "@opensymphony/adapters-openhands/operator/ConversationLog"
import type { OperatorError } from "@opensymphony/adapters-openhands/operator/OperatorError"
import * as Saying from "@opensymphony/adapters-openhands/operator/Saying"
import * as ServerAccess from "@opensymphony/adapters-openhands/operator/ServerAccess"
import type { TranscriptEntry } from "@opensymphony/adapters-openhands/operator/TranscriptEntry"
import type { RunEnd } from "@opensymphony/adapters-openhands/session/LiveConversation"
import * as TurnEnding from "@opensymphony/adapters-openhands/session/TurnEnding"
import type { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Scope from "effect/Scope"
import type { Platform } from "../Adapters.ts"
import * as Signals from "../Signals.ts"
import type { UnusableWorkflow } from "../WorkflowFile.ts"
import { CommandFailed } from "./CommandFailed.ts"
import * as CommandLog from "./CommandLog.ts"
import * as ConversationWorkflow from "./ConversationWorkflow.ts"
import * as Following from "./Following.ts"
import * as IssueConversation from "./IssueConversation.ts"
import * as RecreatedWorkspace from "./RecreatedWorkspace.ts"
import * as TranscriptText from "./TranscriptText.ts"

export interface DebugOptions {
  /** Identifier or id. */
  readonly issue: string
  /** Path of the workflow as given, relative to the working directory; null: the usual one. */
  readonly workflow: string | null
  /** Another conversation than the one on record; null: that one. */
  readonly conversation: string | null
  /** How many events are shown of what is there already. */
  readonly limit: number
  readonly form: TranscriptText.TranscriptStyle["form"]
  readonly follow: boolean
  /** What to say; null: nothing. */
  readonly say: string | null
}

type Failure = ApiError | CommandFailed | OperatorError | RuntimeError

/** What there is between what was asked for and the end of it. */
interface Session {
  readonly options: DebugOptions
  readonly workflow: ConversationWorkflow.ConversationWorkflow
  readonly access: ServerAccess.ServerAccess
  readonly style: TranscriptText.TranscriptStyle
  readonly conversation: ConversationInfo
  readonly following: Following.Following
}

const print = (text: string | null): Effect.Effect<void> => (text === null ? Effect.void : Console.log(text))

const showWith =
  (style: TranscriptText.TranscriptStyle) =>
  (entries: ReadonlyArray<TranscriptEntry>): Effect.Effect<void> =>
    Effect.forEach(entries, (entry) => Console.log(TranscriptText.entry(entry, style)), { discard: true })

/** Why a turn that was asked for did not end well; null when it did. */
const problemOf = Effect.fnUntraced(function* (end: RunEnd, { access, workflow }: Session) {
  if (end._tag === "Stopped") return "the turn was stopped"
  if (end._tag !== "Ended") return "the conversation is gone from the server"
  if (end.status === "finished" || end.status === "idle") return null
  const result =
    end.failure === null
      ? TurnEnding.ofStatus(end.status)
      : TurnEnding.ofFailure(end.failure, workflow.settings, access.redact, yield* Clock.currentTimeMillis)
  return "reason" in result ? result.reason : end.status
})

/** The last events of a turn can be read some moments after its end. */
const lagMs = 300

const say = Effect.fnUntraced(function* (session: Session, text: string) {
  const { access, conversation, following, workflow } = session
  const { stopTimeoutMs } = workflow.workflow.agent
  const turn = Effect.scoped(Saying.say({ access, settings: workflow.settings, conversation, stopTimeoutMs, text }))
  const end = yield* Effect.raceFirst(turn, following.forever)
  yield* following.drain
  yield* Effect.sleep(lagMs)
  yield* following.drain
  const problem = yield* problemOf(end, session)
  if (problem !== null) return yield* new CommandFailed({ message: `the turn did not end well: ${problem}` })
})

const follow = Effect.fnUntraced(function* ({ conversation, following, style }: Session) {
  if (isAtRest(conversation.status)) {
    return yield* print(TranscriptText.remark(`(at rest: ${conversation.status}; there is nothing to follow)`, style))
  }
  const status = yield* following.untilAtRest
  yield* print(TranscriptText.remark(`(at rest: ${status})`, style))
})

const withoutWorkspace = (identifier: string): string =>
  `${identifier} has no workspace, so that its agent would work in an empty directory; its next run makes one`

/** Everything but the signals. */
const work = Effect.fnUntraced(function* (
  options: DebugOptions,
  workflow: ConversationWorkflow.ConversationWorkflow
): Effect.fn.Return<void, Failure, ServerAccess.AccessServices | Platform | Scope.Scope> {
  const found = yield* IssueConversation.subjectOf(workflow.workflow, options.issue)
  const subject = { ...found, session: options.conversation ?? found.session }
  const claimed = options.say !== null
  if (subject.workspace === null) {
    if (claimed) return yield* new CommandFailed({ message: withoutWorkspace(subject.identifier) })
    yield* RecreatedWorkspace.prevent(workflow.workflow.workspace.root, subject.identifier)
  }
  if (claimed) yield* ServerAccess.claim(workflow.access, `saying something to the agent of ${subject.identifier}`)
  const access = yield* ServerAccess.open(workflow.access, { claimed })
  const conversation = yield* IssueConversation.find(subject, access)
  const { cut, entries, last } = yield* ConversationLog.newest(access.connection, conversation.id, options.limit)
  const style = { form: options.form, redact: access.redact }
  const { identifier, workspace } = subject
  yield* print(TranscriptText.heading({ identifier, conversation, workspace: workspace?.path ?? null, cut }, style))
  const show = showWith(style)
  yield* show(entries)
  const following = Following.make({ access, conversation: conversation.id, last, show })
  const session: Session = { options, workflow, access, style, conversation, following }
  if (options.say !== null) yield* say(session, options.say)
  else if (options.follow) yield* follow(session)
})

/** Ends with the command's own work or a signal; the status is what the process should exit with. */
export const debug = Effect.fnUntraced(function* (
  options: DebugOptions,
  environment: Environment
): Effect.fn.Return<number, CommandFailed | UnusableWorkflow, Platform> {
  const workflow = yield* ConversationWorkflow.load(options.workflow, environment)
  const { redact } = workflow
  return yield* Effect.gen(function* () {
    const signal = yield* Signals.first
    // Ctrl-C is how following is meant to end; it breaks everything else off.
    const isEnd = options.follow && options.say === null
    const stopped = Effect.map(Deferred.await(signal), (name) => (isEnd ? 0 : Signals.exitStatus[name]))
    return yield* Effect.raceFirst(Effect.as(Effect.scoped(work(options, workflow)), 0), stopped)
  }).pipe(
    Effect.scoped,
    Effect.provide([FetchHttpClient.layer, CommandLog.layer(environment, redact)]),
    Effect.mapError(({ message }) => new CommandFailed({ message: redact(message) }))
  )
})
