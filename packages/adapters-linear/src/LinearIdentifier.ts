/** From what people call an issue to its id, which is what everything else goes by. */
import type { IssueId } from "@opensymphony/core/domain/Ids"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "./LinearApi.ts"
import type { LinearError } from "./LinearError.ts"
import * as Documents from "./read/Documents.ts"
import { issueId } from "./read/IssueFacts.ts"

const Found = Schema.Struct({ issue: Schema.Struct({ id: Schema.String }) })

/**
 * The id of the issue that is called so, in whatever case, or was before it moved to another team; null when the key sees
 * none. The issue may be in any project.
 */
export const resolve = (api: LinearApiService, identifier: string): Effect.Effect<IssueId | null, LinearError> =>
  api
    .call({
      name: "IssueId",
      document: Documents.issueIdDocument,
      variables: { name: identifier.trim() },
      result: Found,
      purpose: "candidates",
      repeatable: true
    })
    .pipe(
      Effect.map(({ issue }) => issueId(issue.id)),
      Effect.catchTag(["LinearNotFound", "LinearInvalidArgument"], () => Effect.succeed(null))
    )
