/** `add_comment`: a new comment, once. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import * as Comments from "../Comments.ts"
import * as Tool from "../Tool.ts"
import { Line, Markdown } from "./Texts.ts"

export const make = (api: LinearApiService): Tool.Tool =>
  Tool.make({
    name: "add_comment",
    title: "Comment on the issue",
    description:
      "Adds one comment to the issue; changes nothing else. A repeated call with the same text (or the same key) in one run does not comment twice, so it is safe to try again. For notes to yourself use write_workpad.",
    effect: "adds",
    input: Schema.Struct({
      body: Markdown.annotate({ description: "The comment, in Markdown" }),
      key: Schema.optionalKey(
        Line.annotate({
          description: "Names this comment: a second call with the same key adds nothing. Its text unless told"
        })
      )
    }),
    run: ({ body, key }, target) =>
      Effect.map(
        Comments.post(api, target, key === undefined ? `text:${body}` : `key:${key}`, body),
        ({ isNew, value }) => ({
          text: isNew
            ? `Commented on ${target.identifier}: ${value.url}`
            : `${target.identifier} has this comment already, so nothing was added: ${value.url}`,
          data: { id: value.id, url: value.url, created: isNew }
        })
      )
  })
