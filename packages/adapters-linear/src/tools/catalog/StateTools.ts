/** `list_states` and `move_issue`: the workflow that the issue goes through. */
import { nearestName } from "@opensymphony/core/workflow/NearestName"
import { stateKey } from "@opensymphony/core/domain/Issue"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import * as Reading from "../operations/Reading.ts"
import * as Writing from "../operations/Writing.ts"
import * as Tool from "../Tool.ts"
import { Line } from "./Texts.ts"

type State = Reading.TeamStates["team"]["states"]["nodes"][number]

const inOrder = ({ team }: Reading.TeamStates): ReadonlyArray<State> =>
  team.states.nodes.toSorted((self, that) => self.position - that.position)

/** The state that people mean by `name`, or what there is instead. */
export const stateNamed = (issue: Reading.TeamStates, name: string): Effect.Effect<State, Tool.ToolFailure> => {
  const states = inOrder(issue)
  const found =
    states.find((state) => state.name === name) ?? states.find((state) => stateKey(state.name) === stateKey(name))
  if (found !== undefined) return Effect.succeed(found)
  const names = states.map((state) => state.name)
  const nearest = nearestName(name, names)
  const meant = nearest === null ? "" : ` Did you mean ${JSON.stringify(nearest)}?`
  const message = `Team ${issue.team.key} has no state ${JSON.stringify(name)}.${meant} Its states are: ${names.join(", ")}`
  return Effect.fail(new Tool.ToolFailure({ message }))
}

export const make = (api: LinearApiService): ReadonlyArray<Tool.Tool> => [
  Tool.make({
    name: "list_states",
    title: "List the states",
    description: "Lists the states that the issue can be in, in their order, and the one it is in. Changes nothing.",
    effect: "reads",
    input: Schema.Struct({}),
    run: (_input, { issueId }) =>
      Effect.map(api.call(Reading.states(issueId)), ({ issue }) => ({
        text: inOrder(issue)
          .map(({ id, name, type }) => `- ${name} (${type})${id === issue.state.id ? ", the state it is in" : ""}`)
          .join("\n"),
        data: { state: issue.state.name, states: inOrder(issue).map(({ name, type }) => ({ name, type })) }
      }))
  }),
  Tool.make({
    name: "move_issue",
    title: "Move the issue",
    description:
      "Moves the issue to the state with that name, in either case; changes nothing else. Moving it out of the active states ends the work on it.",
    effect: "adds",
    input: Schema.Struct({
      state: Line.annotate({ description: "Name of the state, such as In Review; list_states says which there are" })
    }),
    run: Effect.fnUntraced(function* ({ state }, { identifier, issueId }) {
      const { issue } = yield* api.call(Reading.states(issueId))
      const wanted = yield* stateNamed(issue, state)
      const data = { from: issue.state.name, to: wanted.name, changed: wanted.id !== issue.state.id }
      if (!data.changed) return { text: `${identifier} is in ${JSON.stringify(data.to)} already.`, data }
      yield* Writing.change(api, Writing.move(issueId, wanted.id))
      return { text: `Moved ${identifier} from ${JSON.stringify(data.from)} to ${JSON.stringify(data.to)}.`, data }
    })
  })
]
