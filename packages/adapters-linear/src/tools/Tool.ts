/**
 * A tool that agents call: what it is named, what it takes, what it may change, and what it does to the issue of a
 * call. Who serves it, and over what, is no concern of it.
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { LinearError } from "../LinearError.ts"

/** The issue that a call is about, and what else belongs to the caller. */
export interface ToolTarget {
  /** UUID of the issue. */
  readonly issueId: string
  readonly identifier: string
  /** Client-made ids are derived from it: calls that repeat each other share it, others do not. A run's id. */
  readonly seed: string
  /** Absolute path; files outside it are not uploaded. */
  readonly directory: string
}

/** What a tool may change: nothing; it only adds; or it also replaces what is there. */
export type ToolEffect = "reads" | "adds" | "replaces"

export interface ToolAnswer {
  /** For the model: short, and complete without {@link data}. */
  readonly text: string
  /** The same facts for programs; long texts stay out of it. */
  readonly data: { readonly [name: string]: unknown }
}

/** A call that did not do what it was asked to. The message is for the model and never contains a secret. */
export class ToolFailure extends Data.TaggedError("ToolFailure")<{ readonly message: string }> {}

/** How a tool is listed, as MCP wants it. */
export interface ToolDescription {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: {
    readonly type: "object"
    readonly properties: { readonly [name: string]: object }
    readonly required: ReadonlyArray<string>
    readonly additionalProperties: false
  }
  readonly annotations: {
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
}

export interface Tool {
  readonly description: ToolDescription
  readonly effect: ToolEffect
  /** Checks the arguments, then acts. */
  readonly call: (input: unknown, target: ToolTarget) => Effect.Effect<ToolAnswer, ToolFailure>
}

export interface ToolDefinition<A> {
  readonly name: string
  readonly title: string
  /** What it does, and what it may change, for the model. */
  readonly description: string
  readonly effect: ToolEffect
  /** A struct; the descriptions of its fields are shown to the model. */
  readonly input: Schema.Codec<A, unknown>
  readonly run: (input: A, target: ToolTarget) => Effect.Effect<ToolAnswer, ToolFailure | LinearError>
}

/** What an agent is told about a failed request: Linear's own words, and when asking again makes sense. */
export const explain = (error: LinearError): string => {
  if (error._tag !== "LinearRateLimited" || error.retryAtMs === null) return error.message
  const until = Option.map(DateTime.make(error.retryAtMs), DateTime.formatIso)
  return Option.match(until, {
    onNone: () => error.message,
    onSome: (instant) => `${error.message} (nothing is sent before ${instant}; go on without it, and try again then)`
  })
}

const isRecord = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Models write null for what they leave out. */
const withoutNulls = (input: unknown): unknown =>
  isRecord(input) ? Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null)) : (input ?? {})

const inputSchemaOf = (schema: Schema.Codec<unknown, unknown>): ToolDescription["inputSchema"] => {
  const { properties, required } = Schema.toJsonSchemaDocument(schema, { onExcessProperty: "error" }).schema
  return {
    type: "object",
    properties: isRecord(properties) ? (properties as { readonly [name: string]: object }) : {},
    required: Array.isArray(required) ? required.map(String) : [],
    additionalProperties: false
  }
}

/** A tool whose arguments are checked against its schema before anything is done. */
export const make = <A>(definition: ToolDefinition<A>): Tool => {
  const { description, effect, input, name, run, title } = definition
  const inputSchema = inputSchemaOf(input)
  const known = Object.keys(inputSchema.properties)
  const wrong = (reason: string) => {
    const takes = known.length === 0 ? "it takes no arguments" : `it takes: ${known.join(", ")}`
    return new ToolFailure({ message: `${name} was not called: its arguments are wrong (${takes}).\n${reason}` })
  }
  // A struct without fields takes anything, so unknown names are not left to the schema.
  const decode = (given: unknown) => {
    const named = withoutNulls(given)
    if (!isRecord(named)) return Effect.fail(wrong("They are no object"))
    const unknown = Object.keys(named).filter((one) => !known.includes(one))
    if (unknown.length > 0) return Effect.fail(wrong(`It does not take: ${unknown.join(", ")}`))
    const decoded = Schema.decodeUnknownEffect(input)(named, { errors: "all" })
    return Effect.mapError(decoded, ({ message }) => wrong(message))
  }
  return {
    description: {
      name,
      title,
      description,
      inputSchema,
      annotations: {
        readOnlyHint: effect === "reads",
        destructiveHint: effect === "replaces",
        idempotentHint: true,
        openWorldHint: true
      }
    },
    effect,
    call: (given, target) =>
      decode(given).pipe(
        Effect.flatMap((value) => run(value, target)),
        Effect.mapError((error) =>
          error._tag === "ToolFailure" ? error : new ToolFailure({ message: explain(error) })
        )
      )
  }
}
