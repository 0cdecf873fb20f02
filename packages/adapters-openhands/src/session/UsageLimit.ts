/** When a provider that refuses work takes it again, as far as its text says. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

const secondMs = 1_000
const units: { readonly [unit: string]: number } = {
  ms: 1,
  millisecond: 1,
  s: secondMs,
  sec: secondMs,
  second: secondMs,
  m: 60 * secondMs,
  min: 60 * secondMs,
  minute: 60 * secondMs,
  h: 3_600 * secondMs,
  hour: 3_600 * secondMs,
  d: 86_400 * secondMs,
  day: 86_400 * secondMs
}

const instantPattern = /\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:[Zz]|UTC|[+-]\d\d:?\d\d)/
const epochPattern = /(?:reset|retry|until)[a-z_ "']{0,20}[:=]?\s*"?(1\d{9})(?:\d{3})?\b/i
const amount = "\\d+(?:\\.\\d+)?\\s*(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h|days?|d)(?![a-z])"
const durationPattern = new RegExp(
  `(?:again|retry|reset|wait|available|in)\\D{0,24}?((?:${amount}(?:,|\\s|and)*)+)`,
  "i"
)
const bareSecondsPattern = /retry[-_ ]after"?\s*[:=]?\s*"?(\d+(?:\.\d+)?)/i

const parseInstant = (text: string): number | null => {
  const match = instantPattern.exec(text)
  if (match === null) return null
  const normal = match[0].replace(/\s?UTC$/, "Z").replace(" ", "T")
  return Option.getOrNull(Option.map(DateTime.make(normal), DateTime.toEpochMillis))
}

const parseDuration = (text: string): number | null => {
  const phrase = durationPattern.exec(text)?.[1]
  if (phrase === undefined) return null
  let total = 0
  for (const [, number, unit] of phrase.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const name = (unit ?? "").toLowerCase()
    total += Number(number) * (units[name] ?? units[name.replace(/s$/, "")] ?? 0)
  }
  return total > 0 ? Math.round(total) : null
}

/** Epoch milliseconds; null when the text does not say. Looks at the beginning of a text only. */
export const until = (text: string, nowMs: number): number | null => {
  const beginning = text.slice(0, 2_000)
  const instant = parseInstant(beginning)
  if (instant !== null) return instant
  const epoch = epochPattern.exec(beginning)?.[1]
  if (epoch !== undefined) return Number(epoch) * secondMs
  const duration = parseDuration(beginning)
  if (duration !== null) return nowMs + duration
  const seconds = bareSecondsPattern.exec(beginning)?.[1]
  return seconds === undefined ? null : nowMs + Math.round(Number(seconds) * secondMs)
}
