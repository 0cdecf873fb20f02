/**
 * One whole turn for nothing but to see that it works: a conversation of its own in a directory of its own, without tools,
 * which is asked for one word and removed when it is at rest. It costs a few tokens.
 */
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type * as Usage from "@opensymphony/core/domain/Usage"
import { type OpenSession, RuntimeError, TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import { noTools } from "@opensymphony/core/ports/AgentTools"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import type { ApiError } from "../client/ApiError.ts"
import { isAtRest } from "../client/ConversationInfo.ts"
import { patiently } from "../client/Patience.ts"
import type { OpenHandsConfigurationError } from "../session/AgentProfile.ts"
import * as AgentProfile from "../session/AgentProfile.ts"
import * as ConversationOpening from "../session/ConversationOpening.ts"
import * as Interruption from "../session/Interruption.ts"
import type { RunEnd } from "../session/LiveConversation.ts"
import * as TurnEnding from "../session/TurnEnding.ts"
import { from, type OperatorError } from "./OperatorError.ts"
import * as Saying from "./Saying.ts"
import type { ServerAccess } from "./ServerAccess.ts"

export interface ProbeOptions {
  readonly access: ServerAccess
  readonly settings: OpenHandsSettings
  /** Where the variables are looked up that the settings name. */
  readonly environment: { readonly [name: string]: string }
  /** Absolute path of an empty directory, on the server's machine. */
  readonly workspace: string
  readonly stopTimeoutMs: number
  /** Of the whole turn. */
  readonly timeoutMs: number
}

export interface Probe {
  readonly result: TurnResult
  readonly usage: Usage.Usage
  readonly tookMs: number
}

const prompt = "Reply with the word ready."
const maxIterations = 3
/** What does not answer is told soon; a run tries more often. */
const modelRetries = 1
/** In tags and titles; no issue is called so. */
const name = "opensymphony doctor"

/** How a turn ends: without it there would be no tool at all, and nothing seen of whether the model can call one. */
const finishTool = "FinishTool"

/** The agent of the workflow with nothing to do anything with. */
const bare = (settings: OpenHandsSettings): OpenHandsSettings => {
  const { conversation } = settings
  const { agent } = conversation
  const llm = { ...agent.llm, options: { ...agent.llm.options, num_retries: modelRetries } }
  const includeDefaultTools = agent.kind === "Agent" ? [finishTool] : agent.includeDefaultTools
  return {
    ...settings,
    mcp: { servers: [] },
    conversation: {
      ...conversation,
      maxIterations,
      agent: { ...agent, llm, tools: [], condenser: null, includeDefaultTools }
    }
  }
}

const requestIn = (workspace: string): OpenSession => {
  const issue = Issue.make({ id: IssueId(name), identifier: name, title: name, state: name })
  return {
    run: {
      runId: RunId(name),
      issue,
      attempt: null,
      workspace: { issueId: issue.id, identifier: name, key: name, path: workspace }
    },
    resume: null,
    onProcess: () => Effect.void,
    tools: noTools
  }
}

/** Removes the conversation once nothing goes on in it. */
const remove = Effect.fnUntraced(function* (api: AgentServerApi, conversation: string, stopTimeoutMs: number) {
  const { status } = yield* api.get(conversation)
  if (!isAtRest(status) && (yield* Interruption.stop(api, conversation, stopTimeoutMs)) === "unconfirmed") {
    return yield* Effect.logWarning(`conversation ${conversation} of the probe is still ${status}; it stays`)
  }
  yield* api.remove(conversation)
})

const resultOf = Effect.fnUntraced(function* (
  end: RunEnd,
  conversation: string,
  { access: { api, redact }, settings }: ProbeOptions
): Effect.fn.Return<TurnResult> {
  if (end._tag !== "Ended") return TurnResult.Failed({ reason: "the conversation went away in the middle of the turn" })
  if (end.status !== "finished" && end.status !== "idle") {
    return end.failure === null
      ? TurnEnding.ofStatus(end.status)
      : TurnEnding.ofFailure(end.failure, settings, redact, yield* Clock.currentTimeMillis)
  }
  const said = yield* Effect.option(patiently(api.finalResponse(conversation)))
  const reply = said._tag === "Some" && said.value !== "" ? said.value : end.reply
  const summary = TurnEnding.summary(reply, redact)
  return summary === null
    ? TurnResult.Failed({ reason: "the turn ended without an answer of the model" })
    : TurnResult.Completed({ summary })
})

/** Runs the turn and tells how it ended. */
export const run = (options: ProbeOptions): Effect.Effect<Probe, OperatorError> =>
  Effect.gen(function* (): Effect.fn.Return<
    Probe,
    ApiError | OpenHandsConfigurationError | OperatorError | RuntimeError,
    Scope.Scope
  > {
    const { access, environment, stopTimeoutMs, timeoutMs, workspace } = options
    const { api, redact } = access
    const settings = bare(options.settings)
    const profile = yield* AgentProfile.resolve(settings, environment)
    const opening: ConversationOpening.Opening = {
      api,
      profile,
      reusePolicy: "fresh_each_run",
      stopTimeoutMs,
      redact,
      request: requestIn(workspace)
    }
    const startMs = yield* Clock.currentTimeMillis
    const { id } = yield* Effect.acquireRelease(ConversationOpening.create(opening, null), (opened) =>
      Effect.catch(remove(api, opened.id, stopTimeoutMs), ({ message }) => Effect.logWarning(message))
    )
    const conversation = yield* patiently(api.get(id))
    const end = yield* Saying.say({ access, settings, conversation, stopTimeoutMs, text: prompt }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () =>
          new RuntimeError({ message: `the model gave no answer within ${timeoutMs / 1_000} s`, unavailable: true })
      })
    )
    const result = yield* resultOf(end, id, options)
    const tookMs = (yield* Clock.currentTimeMillis) - startMs
    const { usage } = yield* patiently(api.get(id))
    return { result, usage, tookMs }
  }).pipe(Effect.scoped, Effect.mapError(from))
