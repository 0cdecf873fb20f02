/** Tools as an MCP client sees them, with the issue that they act on decided: one for all calls, or named by each call. */
import type { CallToolResult, Tool as ListedTool } from "@modelcontextprotocol/sdk/types.js"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Catalog } from "./Catalog.ts"
import * as Tool from "./Tool.ts"

/** No call takes longer; MCP clients wait a minute unless told. */
const callTimeoutMs = 50_000

export interface ToolHost {
  readonly list: Effect.Effect<ReadonlyArray<ListedTool>>
  /** Never fails: what went wrong is part of the result, for the model to read. */
  readonly call: (name: string, input: unknown) => Effect.Effect<CallToolResult>
}

/** A result that says why nothing was done. */
export const refusal = (message: string): CallToolResult => ({
  content: [{ type: "text", text: message }],
  isError: true
})

const listed = ({ annotations, description, inputSchema, name, title }: Tool.ToolDescription): ListedTool => ({
  name,
  title,
  description,
  inputSchema: { ...inputSchema, required: [...inputSchema.required] },
  annotations: { title, ...annotations }
})

const named = ({ tools }: Catalog, name: string): Effect.Effect<Tool.Tool, Tool.ToolFailure> => {
  const tool = tools.find(({ description }) => description.name === name)
  if (tool !== undefined) return Effect.succeed(tool)
  const names = tools.map(({ description }) => description.name).join(", ")
  return Effect.fail(new Tool.ToolFailure({ message: `there is no tool ${JSON.stringify(name)}; there are: ${names}` }))
}

/** Acts, says so in the log, and gives an end to it. Changes to one issue happen one after the other. */
const perform = (
  { locks }: Catalog,
  tool: Tool.Tool,
  input: unknown,
  target: Tool.ToolTarget
): Effect.Effect<Tool.ToolAnswer, Tool.ToolFailure> => {
  const { effect } = tool
  const { name } = tool.description
  const acting = tool.call(input, target)
  const tooLong = new Tool.ToolFailure({
    message:
      effect === "reads"
        ? `${name} had no answer within ${callTimeoutMs / 1000} s; try again`
        : `${name} had no answer within ${callTimeoutMs / 1000} s, and whether it was done is not known; try again, that does nothing twice`
  })
  return (effect === "reads" ? acting : locks(target.issueId)(acting)).pipe(
    Effect.timeoutOrElse({ duration: callTimeoutMs, orElse: () => Effect.fail(tooLong) }),
    Effect.tap(() => (effect === "reads" ? Effect.logDebug(`tool ${name}`) : Effect.logInfo(`tool ${name}`))),
    Effect.tapError(({ message }) => Effect.logInfo(`tool ${name} failed: ${message.slice(0, 500)}`)),
    Effect.annotateLogs({ issue_id: target.issueId, issue_identifier: target.identifier })
  )
}

/** Nothing an agent sends may end more than its call. */
const answered = (effect: Effect.Effect<Tool.ToolAnswer, Tool.ToolFailure>): Effect.Effect<CallToolResult> =>
  effect.pipe(
    Effect.map(({ data, text }): CallToolResult => ({ content: [{ type: "text", text }], structuredContent: data })),
    Effect.catch(({ message }) => Effect.succeed(refusal(message))),
    Effect.catchDefect((defect) =>
      Effect.as(
        Effect.logError("a tool failed; this is a bug", Cause.die(defect)),
        refusal("the tool failed; this is a bug of it")
      )
    )
  )

/** All calls act on `target`. */
export const bound = (catalog: Catalog, target: Tool.ToolTarget): ToolHost => ({
  list: Effect.succeed(catalog.tools.map(({ description }) => listed(description))),
  call: (name, input) => answered(Effect.flatMap(named(catalog, name), (tool) => perform(catalog, tool, input, target)))
})

const issueArgument = { type: "string", description: "Identifier of the issue, such as ENG-12" }

/** The argument `issue`, and the others; null when it is missing. */
const split = (input: unknown): { readonly issue: string; readonly rest: unknown } | null => {
  if (typeof input !== "object" || input === null || !("issue" in input)) return null
  const { issue, ...rest } = input
  return typeof issue === "string" && issue.trim() !== "" ? { issue: issue.trim(), rest } : null
}

/** Finds the issue that a caller named, and refuses those that are out of bounds. */
export type Resolve = (issue: string) => Effect.Effect<Tool.ToolTarget, Tool.ToolFailure>

/** Every call names its issue in `issue`. */
export const unbound = (catalog: Catalog, resolve: Resolve): ToolHost => ({
  list: Effect.succeed(
    catalog.tools.map(({ description }) =>
      listed({
        ...description,
        inputSchema: {
          ...description.inputSchema,
          properties: { issue: issueArgument, ...description.inputSchema.properties },
          required: ["issue", ...description.inputSchema.required]
        }
      })
    )
  ),
  call: (name, input) =>
    answered(
      Effect.gen(function* () {
        const tool = yield* named(catalog, name)
        const given = split(input)
        if (given === null) {
          const message = `${name} was not called: name the issue in "issue", such as ENG-12`
          return yield* new Tool.ToolFailure({ message })
        }
        const late = new Tool.ToolFailure({ message: `${given.issue} could not be looked up in time; try again` })
        const target = yield* Effect.timeoutOrElse(resolve(given.issue), {
          duration: callTimeoutMs,
          orElse: () => Effect.fail(late)
        })
        return yield* perform(catalog, tool, given.rest, target)
      })
    )
})
