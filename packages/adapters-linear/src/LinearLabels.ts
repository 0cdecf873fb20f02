/** The labels of a workspace, as far as a workflow needs them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "./LinearApi.ts"
import type { LinearError } from "./LinearError.ts"
import * as Documents from "./read/Documents.ts"

const Labels = Schema.Struct({
  issueLabels: Schema.Struct({ nodes: Schema.Array(Schema.Struct({ name: Schema.String })) })
})

const keyOf = (name: string): string => name.trim().toLowerCase()

/** Those of `names` that no label of the workspace has, compared without case. An issue can never have such a label. */
export const missing = (
  api: LinearApiService,
  names: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, LinearError> =>
  names.length === 0
    ? Effect.succeed([])
    : Effect.map(
        api.call({
          name: "Labels",
          document: Documents.labelsDocument,
          variables: { filter: { or: names.map((name) => ({ name: { eqIgnoreCase: name.trim() } })) } },
          result: Labels,
          purpose: "refresh",
          repeatable: true
        }),
        ({ issueLabels }) => {
          const found = new Set(issueLabels.nodes.map(({ name }) => keyOf(name)))
          return names.filter((name) => !found.has(keyOf(name)))
        }
      )
