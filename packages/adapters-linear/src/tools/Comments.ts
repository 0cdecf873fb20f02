/** Comments that are made once, however often a call is repeated. */
import * as Effect from "effect/Effect"
import type { LinearApiService } from "../LinearApi.ts"
import type { LinearError } from "../LinearError.ts"
import { createOnce, type Created } from "./CreateOnce.ts"
import * as Reading from "./operations/Reading.ts"
import * as Writing from "./operations/Writing.ts"
import type { ToolTarget } from "./Tool.ts"

export interface CommentPlace {
  readonly id: string
  readonly url: string
}

/** Comments on the issue; `key` tells comments of one run apart, equal ones are one comment. */
export const post = (
  api: LinearApiService,
  target: ToolTarget,
  key: string,
  body: string
): Effect.Effect<Created<CommentPlace>, LinearError> =>
  createOnce<CommentPlace>({
    words: ["comment", target.seed, target.issueId, key],
    create: (id) =>
      Effect.map(
        Writing.change(api, Writing.createComment({ id, issueId: target.issueId, body })),
        ({ comment }) => comment
      ),
    find: (id) =>
      Effect.map(api.call(Reading.comment(id)), ({ comment }) =>
        comment.issue?.id === target.issueId ? comment : null
      ),
    generations: 1
  })
