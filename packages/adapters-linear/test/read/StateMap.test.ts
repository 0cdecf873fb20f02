import { assert, describe, it } from "@effect/vitest"
import * as StateMap from "../../src/read/StateMap.ts"

const team = (key: string, ...names: ReadonlyArray<string>): StateMap.Team => ({
  id: key,
  key,
  name: key,
  states: names.map((name, position) => ({ id: `${key}/${name}`, name, type: "started", position }))
})

const names = { activeStates: ["Todo"], terminalStates: ["Done", "Closed"] }

describe("states of a workflow in the teams of a project", () => {
  it("are found in every team, trimmed and without case", () => {
    const teams = [team("A", "todo", "Done"), team("B", " TODO ", "done")]
    const { active, problems, terminal, warnings } = StateMap.resolve(names, teams)
    assert.deepStrictEqual(
      { active, terminal, problems, warnings },
      { active: ["A/todo", "B/ TODO "], terminal: ["A/Done", "B/done"], problems: [], warnings: [] }
    )
  })

  it("are terminal when they are named as both", () => {
    const both = { activeStates: ["Todo", "Done"], terminalStates: ["Done"] }
    const { active, terminal } = StateMap.resolve(both, [team("A", "Todo", "Done")])
    assert.deepStrictEqual({ active, terminal }, { active: ["A/Todo"], terminal: ["A/Done"] })
  })

  it("are a problem when no team has an active one, with what there is", () => {
    const { problems } = StateMap.resolve(names, [team("A", "Ready", "Done"), team("B", "Done")])
    assert.deepStrictEqual(problems, [
      'tracker.active_states names "Todo", which no team of the project has: team A has "Ready", "Done"; team B has "Done"; correct tracker.active_states'
    ])
  })

  it("are a problem when nothing can ever be finished", () => {
    const { problems } = StateMap.resolve(names, [team("A", "Todo")])
    assert.lengthOf(problems, 1)
    assert.include(problems[0], "no team of the project has any state of tracker.terminal_states")
  })

  it("draw a warning where only some teams have them", () => {
    const { problems, warnings } = StateMap.resolve(names, [team("A", "Todo", "Done"), team("B", "Ready")])
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(warnings, [
      'tracker.active_states names "Todo", which these teams do not have: B',
      "team B has no state of tracker.terminal_states, so its issues are never finished"
    ])
  })

  it.each<[name: string, type: string, finished: boolean]>([
    ["Duplicate", "duplicate", true],
    ["Shipped", "completed", true],
    ["Won't do", "Canceled", true],
    ["Ready", "unstarted", false],
    ["Todo", "canceled", false],
    ["done", "completed", false]
  ])("%s of type %s finishes a blocker by its type: %s", (name, type, finished) => {
    assert.strictEqual(StateMap.isFinishedByType(name, type, names), finished)
  })
})
