/** A conversation as `GET /api/conversations/{id}` and `full_state` frames describe it; only what is used here. */
import * as Usage from "@opensymphony/core/domain/Usage"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const statuses = [
  "idle",
  "running",
  "paused",
  "waiting_for_confirmation",
  "finished",
  "error",
  "stuck",
  "deleting"
] as const

/** `unknown`: the server names a status that this adapter does not know. */
export type Status = (typeof statuses)[number] | "unknown"

const known: ReadonlySet<string> = new Set(statuses)

export const status = (value: unknown): Status =>
  typeof value === "string" && known.has(value) ? (value as Status) : "unknown"

/** Whether nothing goes on in the conversation. A status that nobody knows may mean anything. */
export const isAtRest = (self: Status): boolean => self !== "running" && self !== "deleting" && self !== "unknown"

export interface ConversationInfo {
  readonly id: string
  readonly status: Status
  /** What the conversation has used in its life, over all usage ids. */
  readonly usage: Usage.Usage
  readonly tags: { readonly [key: string]: string }
  readonly lastUserMessageId: string | null
  /** Whether something may turn `finished` back to `running`. */
  readonly hasStopHooks: boolean
}

const Amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const maybe = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const TokenUsage = Schema.Struct({
  prompt_tokens: maybe(Amount),
  completion_tokens: maybe(Amount),
  cache_read_tokens: maybe(Amount)
})
const Stats = Schema.Struct({
  usage_to_metrics: Schema.Record(
    Schema.String,
    Schema.Struct({ accumulated_cost: maybe(Amount), accumulated_token_usage: maybe(TokenUsage) })
  )
})
const decodeStats = Schema.decodeUnknownOption(Stats)

/** The sum over all usage ids: agent, condenser, sub-agents. Null when it is no statistics. */
export const usage = (stats: unknown): Usage.Usage | null => {
  const decoded = decodeStats(stats)
  if (Option.isNone(decoded)) return null
  return Object.values(decoded.value.usage_to_metrics).reduce((sum, metrics) => {
    const tokens = metrics.accumulated_token_usage
    const cached = tokens?.cache_read_tokens ?? 0
    return Usage.add(sum, {
      // The server's prompt tokens include those that a cache served.
      inputTokens: Math.max(0, (tokens?.prompt_tokens ?? 0) - cached),
      outputTokens: tokens?.completion_tokens ?? 0,
      cacheReadTokens: cached,
      costUsd: metrics.accumulated_cost ?? 0
    })
  }, Usage.zero)
}

const Info = Schema.Struct({
  id: Schema.String,
  execution_status: Schema.optionalKey(Schema.Unknown),
  stats: Schema.optionalKey(Schema.Unknown),
  tags: Schema.optionalKey(Schema.Unknown),
  last_user_message_id: Schema.optionalKey(Schema.Unknown),
  hook_config: Schema.optionalKey(Schema.Unknown)
})
const decodeInfo = Schema.decodeUnknownOption(Info)
const decodeTags = Schema.decodeUnknownOption(Schema.Record(Schema.String, Schema.String))
const decodeHooks = Schema.decodeUnknownOption(Schema.Struct({ stop: Schema.NonEmptyArray(Schema.Unknown) }))

/** Null when the value describes no conversation. */
export const decode = (value: unknown): ConversationInfo | null => {
  const decoded = decodeInfo(value)
  if (Option.isNone(decoded)) return null
  const info = decoded.value
  return {
    id: info.id,
    status: status(info.execution_status),
    usage: usage(info.stats) ?? Usage.zero,
    tags: Option.getOrElse(decodeTags(info.tags), () => ({})),
    lastUserMessageId: typeof info.last_user_message_id === "string" ? info.last_user_message_id : null,
    hasStopHooks: Option.isSome(decodeHooks(info.hook_config))
  }
}
