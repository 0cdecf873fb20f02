/**
 * Finds the conversation that a run works in: the one of the run before where that can go on, else a new one that is
 * told what is known. A conversation is given up only when the server says that it is gone, or when the agent that the
 * workflow asks for is another one and cannot be put into it; never because something did not work just now.
 */
import { uuidV4Unsafe } from "effect/crypto/SecureRandom"
import * as Usage from "@opensymphony/core/domain/Usage"
import { type OpenSession, RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import type { ReusePolicy } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import { type ApiError, isUncertain } from "../client/ApiError.ts"
import type { ConversationInfo } from "../client/ConversationInfo.ts"
import * as Outage from "../client/Outage.ts"
import { patiently } from "../client/Patience.ts"
import type { AgentProfile, Fingerprints, Place } from "./AgentProfile.ts"
import * as Handover from "./Handover.ts"
import * as Interruption from "./Interruption.ts"

export interface Opening {
  readonly api: AgentServerApi
  readonly profile: AgentProfile
  readonly reusePolicy: ReusePolicy
  readonly stopTimeoutMs: number
  readonly redact: (text: string) => string
  readonly request: OpenSession
}

export interface OpenedConversation {
  readonly id: string
  /** What it had used before this run. */
  readonly baseline: Usage.Usage
  /** What its first prompt is to say beside the task; null when it remembers for itself, or there is nothing to say. */
  readonly context: string | null
  /**
   * Puts the workflow's model and key into it; false when it must be replaced for that. Null: it has them. To be done when
   * a message has made the server build the agent: of a model that was put in before, it counts no usage (1.40 to 1.57).
   */
  readonly switchModel: Effect.Effect<boolean, ApiError> | null
}

const isUuid = (text: string): boolean => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)

/** As the server knows it, or null when the server says that it is gone. */
const find = (api: AgentServerApi, id: string): Effect.Effect<ConversationInfo | null, ApiError> =>
  Effect.catch(patiently(api.get(id)), (error) =>
    error.problem === "missing" ? Effect.succeed(null) : Effect.fail(error)
  )

const placeOf = ({ request }: Opening, conversation: string): Place => ({
  conversation,
  workspace: request.run.workspace.path,
  tools: request.tools.servers
})

const tagsOf = ({ request }: Opening, { agent, llm }: Fingerprints): { readonly [key: string]: string } => ({
  issue: request.run.issue.identifier.slice(0, 256),
  llm,
  agent
})

/**
 * Creates a conversation. Its id is ours, so a create whose answer was lost is simply asked for again: an existing
 * conversation is answered as it is.
 */
export const create = Effect.fnUntraced(function* (
  opening: Opening,
  context: string | null,
  replaces: string | null = null
): Effect.fn.Return<OpenedConversation, ApiError> {
  const id = uuidV4Unsafe()
  const place = placeOf(opening, id)
  const body = {
    conversation_id: id,
    workspace: { kind: "LocalWorkspace", working_dir: place.workspace },
    autotitle: false,
    tags: {
      ...tagsOf(opening, yield* opening.profile.fingerprints(place)),
      ...(replaces === null ? {} : { replaces })
    },
    ...opening.profile.request(place)
  }
  yield* patiently(
    Effect.catch(opening.api.create(body), (error) =>
      isUncertain(error) ? Effect.catch(opening.api.get(id), () => Effect.fail(error)) : Effect.fail(error)
    )
  )
  return { id, baseline: Usage.zero, context, switchModel: null }
})

/** A new conversation in place of `earlier`, with what is known of it. */
export const replace = Effect.fnUntraced(function* (opening: Opening, earlier: string, reason: string) {
  yield* Effect.logInfo(`conversation ${earlier} of ${opening.request.run.issue.identifier} is replaced: ${reason}`)
  const { api, redact, request } = opening
  return yield* create(opening, yield* Handover.compose(api, earlier, reason, request.tools, redact), earlier)
})

/** Brings a conversation that an earlier run left in whatever state to rest; null when it is gone after that. */
const bringToRest = Effect.fnUntraced(function* (
  { api, stopTimeoutMs }: Opening,
  found: ConversationInfo
): Effect.fn.Return<ConversationInfo | null, ApiError | RuntimeError> {
  switch (found.status) {
    case "running":
    case "deleting":
    case "unknown": {
      if ((yield* Interruption.stop(api, found.id, stopTimeoutMs)) === "confirmed") return yield* find(api, found.id)
      return yield* new RuntimeError({
        message:
          `conversation ${found.id} is still ${found.status} after ${stopTimeoutMs} ms, and two agents may not work in ` +
          "one workspace; stop it at the agent-server, or restart that",
        unavailable: false
      })
    }
    case "waiting_for_confirmation":
      // To run it would mean to confirm what it waits for.
      yield* patiently(api.rejectActions(found.id, "The run that asked for this has ended."))
      return found
    default:
      return found
  }
})

const switchModel = Effect.fnUntraced(function* (
  { api, profile }: Opening,
  id: string,
  tags: { readonly [key: string]: string },
  fingerprint: string
): Effect.fn.Return<boolean, ApiError> {
  // Of a usage id that it knows, 1.40 keeps the old model and answers that all is well. Usage is summed over all ids.
  const llm = { ...profile.llm, usage_id: `agent-${fingerprint.slice(0, 12)}` }
  const switched = yield* Effect.result(patiently(api.switchLlm(id, llm)))
  if (switched._tag === "Failure") {
    if (switched.failure.problem === "missing" || switched.failure.problem === "refused") return false
    return yield* switched.failure
  }
  yield* patiently(api.setTags(id, tags))
  return true
})

/** What a conversation was to be told of the one that it replaces, when a run ended before it had its first prompt. */
const untold = ({ api, redact, request }: Opening, { lastUserMessageId, tags }: ConversationInfo) => {
  const { replaces } = tags
  if (lastUserMessageId !== null || replaces === undefined || !isUuid(replaces)) return Effect.succeed(null)
  return Handover.compose(api, replaces, "that one could not go on", request.tools, redact)
}

const resume = Effect.fnUntraced(function* (
  opening: Opening,
  earlier: string
): Effect.fn.Return<OpenedConversation, ApiError | RuntimeError> {
  const found = yield* find(opening.api, earlier)
  const rested = found === null ? null : yield* bringToRest(opening, found)
  if (rested === null) return yield* replace(opening, earlier, "it is gone from the server")
  const fingerprints = yield* opening.profile.fingerprints(placeOf(opening, earlier))
  const { agent, llm } = rested.tags
  if (agent !== undefined && agent !== fingerprints.agent) {
    return yield* replace(opening, earlier, "the agent's settings were changed")
  }
  const tags = { ...rested.tags, ...tagsOf(opening, fingerprints) }
  const isChanged = llm !== fingerprints.llm
  if (isChanged && !opening.profile.canSwitch) return yield* replace(opening, earlier, "the model was changed")
  return {
    id: earlier,
    baseline: rested.usage,
    context: yield* untold(opening, rested),
    switchModel: isChanged ? switchModel(opening, earlier, tags, fingerprints.llm) : null
  }
})

/** A new conversation for this run alone. The one of the run before is deleted, once it is certain that it rests. */
const begin = Effect.fnUntraced(function* (
  opening: Opening,
  earlier: string | null
): Effect.fn.Return<OpenedConversation, ApiError | RuntimeError> {
  const found = earlier === null ? null : yield* find(opening.api, earlier)
  const rested = found === null ? null : yield* bringToRest(opening, found)
  const opened = yield* create(opening, null)
  if (rested !== null) {
    yield* Effect.catch(opening.api.remove(rested.id), (error) =>
      Effect.logDebug(`conversation ${rested.id} of the run before was not deleted: ${error.message}`)
    )
  }
  return opened
})

/** The conversation that the run works in, at rest. */
export const open = (opening: Opening): Effect.Effect<OpenedConversation, RuntimeError> => {
  // What another runtime called its session is no conversation of this one.
  const earlier = opening.request.resume !== null && isUuid(opening.request.resume) ? opening.request.resume : null
  const opened =
    earlier !== null && opening.reusePolicy === "per_issue" ? resume(opening, earlier) : begin(opening, earlier)
  return Effect.catchTag(opened, "ApiError", (error) => Outage.judge(opening.api, error))
}
