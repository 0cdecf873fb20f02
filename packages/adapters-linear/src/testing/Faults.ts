/**
 * What can go wrong on purpose. A rule says which requests it is for and what happens to them; the first rule that
 * applies wins. Rules are plain data, so that another process can send them.
 */
import type { JsonValue } from "./Json.ts"
import type { PageFault } from "./Pages.ts"

/** Where a rate limited answer says that the limit ends; a number is an instant in milliseconds since 1970. */
export type Reset = "soon" | "past" | "far" | "garbage" | "missing" | number

export type Fault =
  /** `status` 400, as Linear answers, or 429, as a proxy would. `retryAfter` is the header's text. */
  | {
      readonly kind: "rateLimited"
      readonly status?: 400 | 429
      readonly retryAfter?: string
      readonly reset?: Reset
    }
  | { readonly kind: "unauthorized" | "bearerHint" | "forbidden" }
  /** `lockTimeout` and `internalError` are GraphQL errors with status 500. */
  | { readonly kind: "lockTimeout" | "internalError" }
  /** A page of a proxy, not of the API. */
  | { readonly kind: "html"; readonly status?: number }
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "hangBeforeHeaders" | "hangInBody" }
  | { readonly kind: "slow"; readonly ms: number }
  /** `resetBeforeHeaders` carries nothing out; `lostAnswer` carries everything out, and the answer is lost. */
  | { readonly kind: "resetBeforeHeaders" | "resetInBody" | "lostAnswer" }
  | { readonly kind: "malformedJson" | "emptyErrors" | "emptyBody" }
  | { readonly kind: "wrongContentType"; readonly contentType?: string }
  /** Errors beside data; the field of this name becomes null, the first one of the answer unless told. */
  | { readonly kind: "partialData"; readonly field?: string }
  /** Lies about the pages of the connection with this name; of the one at the top of the answer unless told. */
  | { readonly kind: PageFault; readonly connection?: string }
  /** A null in the `nodes` of every connection of this name. */
  | { readonly kind: "nullNodes"; readonly connection: string }
  /** Fields of every answered object with this id. */
  | { readonly kind: "corrupt"; readonly id: string; readonly fields: Readonly<Record<string, JsonValue>> }

export type FaultKind = Fault["kind"]

export interface FaultRule {
  readonly fault: Fault
  /** Only operations of this name, or of a name that begins with what is before a final `*`. */
  readonly operation?: string
  /** Only queries, or only mutations. */
  readonly type?: "query" | "mutation"
  /** The nth request that the rule is for, counted from 1, or the first and the last of a range. */
  readonly nth?: number | readonly [first: number, last: number]
  /** How often it happens at most. */
  readonly times?: number
  /** How likely it happens, between 0 and 1, by a generator that starts from `seed` (1 unless told). */
  readonly probability?: number
  readonly seed?: number
}

export interface FaultRequest {
  readonly operation: string | null
  readonly type: string
}

export interface Faults {
  readonly add: (rule: FaultRule) => string
  readonly remove: (id: string) => void
  readonly clear: () => void
  /** The fault for this request; counts it. */
  readonly next: (request: FaultRequest) => Fault | null
}

export function make(): Faults {
  const rules = new Map<string, { readonly rule: FaultRule; seen: number; fired: number; random: () => number }>()
  let made = 0
  return {
    add: (rule) => {
      const id = `fault-${++made}`
      rules.set(id, { rule, seen: 0, fired: 0, random: generator(rule.seed ?? 1) })
      return id
    },
    remove: (id) => void rules.delete(id),
    clear: () => rules.clear(),
    next: (request) => {
      let chosen: Fault | null = null
      for (const one of rules.values()) {
        if (!isFor(one.rule, request)) continue
        one.seen += 1
        if (chosen !== null || !applies(one.rule, one.seen, one.fired, one.random)) continue
        one.fired += 1
        chosen = one.rule.fault
      }
      return chosen
    }
  }
}

function isFor({ operation, type }: FaultRule, request: FaultRequest): boolean {
  if (type !== undefined && type !== request.type) return false
  if (operation === undefined) return true
  const name = request.operation ?? ""
  return operation.endsWith("*") ? name.startsWith(operation.slice(0, -1)) : name === operation
}

function applies({ nth, probability, times }: FaultRule, seen: number, fired: number, random: () => number): boolean {
  const [first, last] = nth === undefined ? [1, Infinity] : typeof nth === "number" ? [nth, nth] : nth
  if (seen < first || seen > last || fired >= (times ?? Infinity)) return false
  return probability === undefined || random() < probability
}

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
