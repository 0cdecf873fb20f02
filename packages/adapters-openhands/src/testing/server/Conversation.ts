/**
 * One conversation of the fake: its log, who listens, what it tells about itself, and its state lock. An event is
 * published first and kept in the log after it, as in the agent-server.
 */
import { randomUUID } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import type { EventDraft, StampedEvent } from "./AgentEvents.ts"
import { stateUpdate } from "./AgentEvents.ts"
import {
  copyOf,
  type ConversationRecord,
  emptyMetrics,
  type ExecutionStatus,
  type Metrics,
  type RecordStore
} from "./ConversationRecord.ts"
import * as LlmRegistry from "./LlmRegistry.ts"
import { eventTimestamp, type Pace, recordTimestamp } from "./Pace.ts"
import * as StateLock from "./StateLock.ts"
import type { StepUsage } from "./TurnScript.ts"
import { DEFAULT_USAGE } from "../model/ModelScript.ts"
import { asRecord } from "../LocalServer.ts"

/** Who gets a conversation's events. */
export interface Subscriber {
  readonly send: (event: StampedEvent) => void
  readonly close: (code: number, reason: string) => void
  /** Ends the connection without a word. */
  readonly cut: () => void
}

/** What conversations share. */
export interface ConversationEnvironment {
  readonly pace: Pace
  readonly store: RecordStore
  readonly utcOffsetMinutes: number
  /** How long an event that was published is not in the log yet. */
  readonly persistLagMs: number
}

export interface Conversation {
  readonly id: string
  readonly record: ConversationRecord
  readonly lock: StateLock.StateLock
  readonly subscribers: Set<Subscriber>
  readonly stamp: (draft: EventDraft) => StampedEvent
  /** Publishes an event and keeps it in the log. */
  readonly emit: (draft: EventDraft) => StampedEvent
  /** Sends a stamped event to who listens. */
  readonly publish: (event: StampedEvent) => void
  /** Keeps a stamped event in the log. */
  readonly keep: (event: StampedEvent) => void
  readonly setStatus: (status: ExecutionStatus) => void
  /** Tells who listens the whole state; waits for the lock. */
  readonly publishFullState: () => Promise<void>
  readonly fullState: () => StampedEvent
  /** Makes the agent's models count, as the agent-server does when the agent is made. */
  readonly buildAgent: () => void
  readonly switchLlm: (model: LlmRegistry.Model, replaces: boolean) => void
  /** Of an answer that the agent's model gave, or the one with the usage's own id. */
  readonly addUsage: (usage: StepUsage | undefined, responseId: string) => void
  readonly addCondenserUsage: (usage: StepUsage, responseId: string) => void
  /** Keeps the state, and shows it to readers; put off while a step is under way. */
  readonly save: () => void
  /** Keeps the state even in a step. */
  readonly store: () => void
  /** Puts savings off until the step has ended: readers see the state from before it, and a crash loses the rest. */
  readonly step: (body: () => Promise<void>) => Promise<void>
  readonly info: () => Readonly<Record<string, unknown>>
  /** Nothing is published or kept from here on. */
  readonly detach: () => void
}

/** Wraps a record that the store knows or will know. */
export const make = (environment: ConversationEnvironment, record: ConversationRecord): Conversation => {
  const { pace, store } = environment
  const { base, events } = record
  const lock = StateLock.make()
  const registry = LlmRegistry.make(base)
  const subscribers = new Set<Subscriber>()
  let attached = true
  let stepping = false
  let shown = copyOf(base)
  let parent = events.findLast(({ kind }) => kind !== "ConversationStateUpdateEvent")?.id

  const stamp = (draft: EventDraft): StampedEvent => {
    const { kind, source, ...fields } = draft
    const event = {
      id: randomUUID(),
      timestamp: eventTimestamp(pace.now(), environment.utcOffsetMinutes),
      source,
      ...(parent === undefined ? {} : { parent_id: parent }),
      ...fields,
      kind
    }
    if (kind !== "ConversationStateUpdateEvent") parent = event.id
    return event
  }

  const publish = (event: StampedEvent) => {
    if (!attached) return
    for (const subscriber of subscribers) subscriber.send(event)
  }

  const keep = (event: StampedEvent) => {
    if (!attached) return
    events.push(event)
    base.updatedAt = recordTimestamp(pace.now())
    store.append(record, event)
  }

  const emit = (draft: EventDraft): StampedEvent => {
    const event = stamp(draft)
    publish(event)
    if (environment.persistLagMs > 0) void pace.wait(environment.persistLagMs).then(() => keep(event))
    else keep(event)
    return event
  }

  const save = () => {
    if (!attached || stepping) return
    shown = copyOf(base)
    store.save(record)
  }

  const step = async (body: () => Promise<void>) => {
    stepping = true
    try {
      await body()
    } finally {
      stepping = false
      save()
    }
  }

  const addUsage = (usage: StepUsage | undefined, responseId: string, { counted, told }: LlmRegistry.Accounting) => {
    if (!counted) return
    count(base, usage, responseId, pace.now())
    if (told) emit(stateUpdate("stats", { usage_to_metrics: trimmed(base.metrics) }))
  }

  const shownAgent = () => withKey(base.agent, base.keyDigest === null ? null : "**********")

  const fullState = () =>
    stamp(
      stateUpdate("full_state", {
        id: base.id,
        agent: shownAgent(),
        workspace: { working_dir: base.workingDir, kind: "LocalWorkspace" },
        max_iterations: base.maxIterations,
        stuck_detection: base.stuckDetection,
        execution_status: base.status,
        confirmation_policy: base.confirmationPolicy,
        blocked_actions: {},
        blocked_messages: {},
        ...(base.lastUserMessageId === null ? {} : { last_user_message_id: base.lastUserMessageId }),
        stats: { usage_to_metrics: base.metrics },
        secret_registry: secretRegistry(base.secretNames),
        tags: base.tags,
        agent_state: {}
      })
    )

  return {
    id: base.id,
    record,
    lock,
    subscribers,
    stamp,
    emit,
    publish,
    keep,
    save,
    store: () => store.save(record),
    step,
    fullState,
    buildAgent: registry.build,
    setStatus: (status) => {
      if (base.status === status) return
      base.status = status
      emit(stateUpdate("execution_status", status))
      save()
    },
    publishFullState: () => lock.hold(() => publish(fullState())),
    addUsage: (usage, responseId) =>
      addUsage(usage, responseId, usage?.usageId === undefined ? registry.ofAgent() : { counted: true, told: true }),
    addCondenserUsage: (usage, responseId) => {
      const usageId = LlmRegistry.usageIdOf(asRecord(base.agent["condenser"])["llm"])
      addUsage({ ...usage, usageId }, responseId, registry.ofCondenser())
    },
    switchLlm: (model, replaces) => {
      const before = base.agent
      registry.switchTo(model, replaces)
      if (!isDeepStrictEqual(before, base.agent)) emit(stateUpdate("agent", shownAgent()))
      save()
    },
    info: () => ({
      id: base.id,
      workspace: { working_dir: base.workingDir, kind: "LocalWorkspace" },
      persistence_dir: null,
      max_iterations: base.maxIterations,
      stuck_detection: base.stuckDetection,
      execution_status: shown.status,
      confirmation_policy: base.confirmationPolicy,
      security_analyzer: null,
      activated_knowledge_skills: [],
      invoked_skills: [],
      blocked_actions: {},
      blocked_messages: {},
      last_user_message_id: base.lastUserMessageId,
      leaf_event_id: events.findLast(({ kind }) => kind !== "ConversationStateUpdateEvent")?.id ?? null,
      stats: { usage_to_metrics: shown.metrics },
      secret_registry: secretRegistry(shown.secretNames),
      agent_state: {},
      hook_config: null,
      title: base.title,
      metrics: null,
      created_at: base.createdAt,
      updated_at: base.updatedAt,
      forked_from_conversation_id: base.forkedFrom,
      parent_conversation_id: null,
      sub_conversation_ids: [],
      tags: base.tags,
      agent: withKey(base.agent, null),
      client_tools: [],
      tool_module_qualnames: {},
      runtime_info: null
    }),
    detach: () => {
      attached = false
      subscribers.clear()
    }
  }
}

const withKey = (agent: Readonly<Record<string, unknown>>, key: string | null) => ({
  ...agent,
  llm: { ...asRecord(agent["llm"]), api_key: key }
})

const secretRegistry = (names: ReadonlyArray<string>) => ({
  secret_sources: Object.fromEntries(
    names.map((name) => [name, { description: null, value: null, kind: "StaticSecret" }])
  )
})

/** The figures without the lists that grow with every call: what a stats event carries. */
const trimmed = (metrics: Readonly<Record<string, Metrics>>) =>
  Object.fromEntries(
    Object.entries(metrics).map(
      ([id, { model_name, accumulated_cost, max_budget_per_task, accumulated_token_usage }]) => [
        id,
        { model_name, accumulated_cost, max_budget_per_task, accumulated_token_usage }
      ]
    )
  )

const count = (
  base: ConversationRecord["base"],
  given: StepUsage | undefined,
  responseId: string,
  now: number
): void => {
  const usage = { ...DEFAULT_USAGE, ...given }
  const llm = asRecord(base.agent["llm"])
  const model = String(llm["model"] ?? "")
  const price = (field: string) => (typeof llm[field] === "number" ? llm[field] : 0)
  const cost =
    usage.cost ?? usage.prompt * price("input_cost_per_token") + usage.completion * price("output_cost_per_token")
  const id = usage.usageId ?? LlmRegistry.usageIdOf(llm)
  const metrics = (base.metrics[id] ??= emptyMetrics(model))
  const sum = metrics.accumulated_token_usage
  const single = {
    model,
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    cache_read_tokens: usage.cached,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    context_window: 0,
    per_turn_token: usage.prompt + usage.completion,
    response_id: responseId
  }
  metrics.accumulated_cost += cost
  metrics.accumulated_token_usage = {
    ...single,
    prompt_tokens: sum.prompt_tokens + usage.prompt,
    completion_tokens: sum.completion_tokens + usage.completion,
    cache_read_tokens: sum.cache_read_tokens + usage.cached,
    response_id: ""
  }
  metrics.costs.push({ model, cost, timestamp: now / 1000 })
  metrics.response_latencies.push({ model, latency: 0.01, response_id: responseId })
  metrics.token_usages.push(single)
}
