/** `linear_query`: any read, for what the other tools do not show. Only there when the workflow asks for it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import * as QueryGuard from "../QueryGuard.ts"
import * as Tool from "../Tool.ts"

const maxAnswerLength = 200_000

const hasErrors = (body: unknown): boolean =>
  typeof body === "object" && body !== null && "errors" in body && body.errors !== undefined

export const make = (api: LinearApiService): Tool.Tool =>
  Tool.make({
    name: "linear_query",
    title: "Query Linear",
    description:
      "Sends one GraphQL query to Linear's API and returns its answer as JSON. It reads whatever the orchestrator's key may read. Changes nothing: mutations are refused. All runs share the budget, so ask for little.",
    effect: "reads",
    input: Schema.Struct({
      query: Schema.String.check(Schema.isMaxLength(QueryGuard.maxDocumentLength)).annotate({
        description: "A GraphQL document with exactly one query"
      }),
      variables: Schema.optionalKey(
        Schema.Record(Schema.String, Schema.Json).annotate({ description: "The variables of the query" })
      )
    }),
    run: Effect.fnUntraced(function* ({ query, variables = {} }) {
      const points = QueryGuard.check(query, variables)
      if (Result.isFailure(points)) {
        return yield* new Tool.ToolFailure({ message: `the query was not sent: ${points.failure}` })
      }
      const { body, status } = yield* api.raw(query, variables, "tools")
      const text = typeof body === "string" ? body : JSON.stringify(body)
      if (status !== 200 || hasErrors(body)) {
        return yield* new Tool.ToolFailure({ message: text.slice(0, maxAnswerLength) })
      }
      if (text.length > maxAnswerLength) {
        const message = `the answer is longer than ${maxAnswerLength} characters; ask for fewer fields or a smaller first`
        return yield* new Tool.ToolFailure({ message })
      }
      return { text, data: { points: points.success } }
    })
  })
