/**
 * The lines by which a command tells more than text: `{"opensymphony": {...}}` on standard output (docs of the command
 * runtime). Read liberally: unknown keys are ignored, and a value that makes no sense costs only itself.
 */
import { SessionId } from "@opensymphony/core/domain/Ids"
import type { Usage } from "@opensymphony/core/domain/Usage"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

export interface StructuredLine {
  /** The total of this turn so far; fields that were not given are 0. */
  readonly usage: Usage | null
  readonly summary: string | null
  readonly session: SessionId | null
  readonly usageLimit: UsageLimit | null
}

export interface UsageLimit {
  /** Epoch milliseconds; null when the line names no instant that can be understood. */
  readonly untilMs: number | null
}

const Fields = Schema.Record(Schema.String, Schema.Unknown)
const decodeEnvelope = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ opensymphony: Schema.optionalKey(Schema.Unknown) }))
)
const decodeFields = Schema.decodeUnknownOption(Fields)
const decodeText = Schema.decodeUnknownOption(Schema.String.check(Schema.isPattern(/\S/)))
const decodeAmount = Schema.decodeUnknownOption(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)))
// It comes back in an environment variable, so it must be fit for one.
const decodeSession = Schema.decodeUnknownOption(Schema.String.check(Schema.isPattern(/^[^\p{Cc}]{1,1024}$/u)))
// RFC 3339; without the pattern, a date without a zone would be read in the zone of this machine.
const decodeInstant = Schema.decodeUnknownOption(
  Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/)).pipe(
    Schema.decodeTo(Schema.DateTimeUtcFromString)
  )
)

const usage = (value: unknown): Usage | null => {
  const fields = decodeFields(value)
  if (Option.isNone(fields)) return null
  const { input_tokens, output_tokens, cache_read_tokens, cost_usd } = fields.value
  const amounts = [input_tokens, output_tokens, cache_read_tokens, cost_usd].map((amount) => decodeAmount(amount))
  if (amounts.every(Option.isNone)) return null
  const [inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, costUsd = 0] = amounts.map(Option.getOrElse(() => 0))
  return { inputTokens, outputTokens, cacheReadTokens, costUsd }
}

const usageLimit = (value: unknown): UsageLimit | null =>
  value === undefined || value === null || value === false || value === ""
    ? null
    : { untilMs: Option.getOrNull(Option.map(decodeInstant(value), DateTime.toEpochMillis)) }

/** Whether it is worth the effort to {@link parse} the line. */
export const isPossible = (line: string): boolean => line.includes(`"opensymphony"`)

/** Null when the line is no JSON object with the key `opensymphony`. */
export const parse = (line: string): StructuredLine | null => {
  if (!isPossible(line)) return null
  const envelope = decodeEnvelope(line)
  if (Option.isNone(envelope) || !Object.hasOwn(envelope.value, "opensymphony")) return null
  const fields = Option.getOrElse(decodeFields(envelope.value.opensymphony), () => ({}) as typeof Fields.Type)
  return {
    usage: usage(fields["usage"]),
    summary: Option.getOrNull(decodeText(fields["summary"])),
    session: Option.getOrNull(Option.map(decodeSession(fields["session"]), SessionId)),
    usageLimit: usageLimit(fields["usage_limited_until"])
  }
}
