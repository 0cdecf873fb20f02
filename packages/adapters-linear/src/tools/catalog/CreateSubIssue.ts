/** `create_sub_issue`: a part of the issue that is worked on by itself. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import { createOnce } from "../CreateOnce.ts"
import * as Reading from "../operations/Reading.ts"
import * as Writing from "../operations/Writing.ts"
import * as Tool from "../Tool.ts"
import { stateNamed } from "./StateTools.ts"
import { Line, Markdown } from "./Texts.ts"

export const make = (api: LinearApiService): Tool.Tool =>
  Tool.make({
    name: "create_sub_issue",
    title: "Create a sub-issue",
    description:
      "Creates an issue below this one, in the same team and project; changes nothing else. The issue then waits for its sub-issues. A repeated call with the same title (or the same key) in one run does not create a second one.",
    effect: "adds",
    input: Schema.Struct({
      title: Line.annotate({ description: "What is to be done, in one line" }),
      description: Schema.optionalKey(Markdown.annotate({ description: "The details, in Markdown" })),
      state: Schema.optionalKey(Line.annotate({ description: "Name of its state; the team's own choice unless told" })),
      priority: Schema.optionalKey(
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })).annotate({
          description: "1 urgent, 2 high, 3 medium, 4 low, 0 none"
        })
      ),
      key: Schema.optionalKey(
        Line.annotate({
          description: "Names this sub-issue: a second call with the same key creates nothing. Its title unless told"
        })
      )
    }),
    run: Effect.fnUntraced(function* (input, { identifier, issueId, seed }) {
      const { issue } = yield* api.call(Reading.states(issueId))
      const state = input.state === undefined ? null : yield* stateNamed(issue, input.state)
      const { isNew, value } = yield* createOnce<Reading.SubIssue>({
        words: ["sub-issue", seed, issueId, input.key === undefined ? `title:${input.title}` : `key:${input.key}`],
        create: (id) =>
          Writing.change(
            api,
            Writing.createIssue({
              id,
              teamId: issue.team.id,
              parentId: issueId,
              title: input.title,
              ...(issue.project === null ? {} : { projectId: issue.project.id }),
              ...(input.description === undefined ? {} : { description: input.description }),
              ...(input.priority === undefined ? {} : { priority: input.priority }),
              ...(state === null ? {} : { stateId: state.id })
            })
          ).pipe(
            Effect.flatMap((payload) =>
              payload.issue === null
                ? Effect.map(api.call(Reading.subIssue(id)), (answer) => answer.issue)
                : Effect.succeed(payload.issue)
            )
          ),
        find: (id) =>
          Effect.map(api.call(Reading.subIssue(id)), (answer) =>
            answer.issue.parent?.id === issueId ? answer.issue : null
          ),
        generations: 1
      })
      return {
        text: isNew
          ? `Created ${value.identifier} below ${identifier}: ${value.url}`
          : `${value.identifier} is this sub-issue already, so nothing was created: ${value.url}`,
        data: { id: value.id, identifier: value.identifier, url: value.url, created: isNew }
      }
    })
  })
