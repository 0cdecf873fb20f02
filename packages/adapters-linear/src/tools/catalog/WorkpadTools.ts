/** `read_workpad` and `write_workpad`: the notes that outlive a run. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Tool from "../Tool.ts"
import type { Workpads } from "../Workpad.ts"
import { Markdown } from "./Texts.ts"

export const make = (workpads: Workpads): ReadonlyArray<Tool.Tool> => [
  Tool.make({
    name: "read_workpad",
    title: "Read the workpad",
    description:
      "Reads the workpad: the one comment on the issue in which agents keep their plan and notes between runs. Changes nothing.",
    effect: "reads",
    input: Schema.Struct({}),
    run: (_input, { identifier, issueId }) =>
      Effect.map(workpads.read(issueId), (pad) =>
        pad === null
          ? { text: `${identifier} has no workpad yet; write_workpad makes one.`, data: { exists: false } }
          : { text: pad.body, data: { exists: true, id: pad.id, url: pad.url, updated_at: pad.updatedAt } }
      )
  }),
  Tool.make({
    name: "write_workpad",
    title: "Write the workpad",
    description:
      "Replaces the whole text of the issue's workpad comment, or makes the comment when there is none. Only ever touches that one comment, and there is never a second one. Read it first, and send all that should stay.",
    effect: "replaces",
    input: Schema.Struct({
      text: Markdown.annotate({ description: "The complete new text, in Markdown; a heading that marks it is added" })
    }),
    run: ({ text }, { identifier, issueId }) =>
      Effect.map(workpads.write(issueId, text), ({ id, isNew, url }) => ({
        text: `${isNew ? "Made" : "Updated"} the workpad of ${identifier}: ${url}`,
        data: { id, url, created: isNew }
      }))
  })
]
