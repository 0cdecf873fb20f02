/** `add_blocker`: the issue waits for another one of its project. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import { createOnce } from "../CreateOnce.ts"
import * as Reading from "../operations/Reading.ts"
import * as Writing from "../operations/Writing.ts"
import * as Tool from "../Tool.ts"
import { Line } from "./Texts.ts"

const isTogether = (self: Reading.Located, that: Reading.Located): boolean =>
  self.project === null ? that.project === null && self.team.id === that.team.id : self.project.id === that.project?.id

export const make = (api: LinearApiService): Tool.Tool =>
  Tool.make({
    name: "add_blocker",
    title: "Add a blocker",
    description:
      "Marks another issue of the same project as blocking this one; changes nothing else. The work on this issue then waits until the blocker is done. A relation that exists is not made twice.",
    effect: "adds",
    input: Schema.Struct({
      blocker: Line.annotate({ description: "Identifier of the issue that must be done first, such as ENG-12" })
    }),
    run: Effect.fnUntraced(function* (input, { issueId }) {
      const { blocker, issue } = yield* api.call(Reading.blockerPair(issueId, input.blocker.trim()))
      const refuse = (message: string) => Effect.fail(new Tool.ToolFailure({ message }))
      if (blocker.id === issue.id) return yield* refuse(`${issue.identifier} cannot block itself`)
      if (!isTogether(issue, blocker)) {
        const place = issue.project === null ? "team" : "project"
        return yield* refuse(
          `${blocker.identifier} is not in the ${place} of ${issue.identifier}, and these tools do not reach beyond it`
        )
      }
      const data = { blocker: blocker.identifier, blocker_state: blocker.state.name }
      const isBlocked = issue.inverseRelations.nodes.some(
        (relation) => relation.type.toLowerCase() === "blocks" && relation.issue?.id === blocker.id
      )
      if (isBlocked) {
        const text = `${blocker.identifier} blocks ${issue.identifier} already; it is in ${blocker.state.name}.`
        return { text, data: { ...data, created: false } }
      }
      yield* createOnce<unknown>({
        words: ["blocker", blocker.id, issueId],
        create: (id) => Writing.change(api, Writing.createBlocker(id, blocker.id, issueId)),
        find: (id) =>
          Effect.map(api.call(Reading.relation(id)), ({ issueRelation }) =>
            issueRelation.issue.id === blocker.id && issueRelation.relatedIssue.id === issueId ? issueRelation : null
          ),
        // A relation that people removed keeps its id.
        generations: 3
      })
      const text = `${blocker.identifier} (in ${blocker.state.name}) now blocks ${issue.identifier}.`
      return { text, data: { ...data, created: true } }
    })
  })
