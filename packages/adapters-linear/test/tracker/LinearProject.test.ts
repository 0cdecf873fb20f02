import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as LinearProject from "../../src/LinearProject.ts"
import * as Scene from "./Scene.ts"

const settings = {
  activeStates: ["Todo", "In Progress"],
  terminalStates: ["Done", "Closed", "Cancelled", "Canceled", "Duplicate"],
  assignee: null
}

const resolve = (scene: Scene.Scene, over: Partial<LinearProject.ProjectSettings> = {}) =>
  LinearProject.resolve(scene.api, { ...settings, projectSlug: scene.linear.project.slugId, ...over })

const refusal = (scene: Scene.Scene, over: Partial<LinearProject.ProjectSettings> = {}) =>
  Effect.map(Effect.flip(resolve(scene, over)), ({ _tag, message }) => {
    assert.strictEqual(_tag, "TrackerConfigurationError")
    return message
  })

describe("LinearProject", () => {
  it.live("is found by address, end of address, slug id and UUID", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const { project, projectUrl } = scene.linear
      const slug = projectUrl.split("/").at(-1) ?? ""
      for (const projectSlug of [projectUrl, `${projectUrl}/issues`, slug, project.slugId, project.id]) {
        const found = yield* resolve(scene, { projectSlug })
        assert.strictEqual(found.id, project.id, projectSlug)
      }
      assert.deepStrictEqual(scene.linear.unimplemented(), [])
    })
  )

  it.live("knows whose key it is, the teams and their states", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make({ teams: [{ key: "ENG" }, { key: "OPS" }] })
      const { activeStateIds, terminalStateIds, teams, viewer, warnings } = yield* resolve(scene)
      assert.strictEqual(viewer.name, "Ada Lovelace")
      assert.deepStrictEqual(
        teams.map(({ key, states }) => [key, states[1]?.name]),
        [
          ["ENG", "Todo"],
          ["OPS", "Todo"]
        ]
      )
      assert.deepStrictEqual([activeStateIds.length, terminalStateIds.length, warnings.length], [4, 6, 0])
    })
  )

  it.live("reads states to the end, however many teams have them", () =>
    Effect.gen(function* () {
      const states = Array.from({ length: 90 }, (_, index) => ({ name: `State ${index}`, type: "started" }))
      const done = { name: "Done", type: "completed" }
      const todo = { name: "todo", type: "unstarted" }
      const teams = ["A", "B", "C"].map((key) => ({ key, states: [...states, done, todo] }))
      const scene = yield* Scene.make({ teams })
      const found = yield* resolve(scene, { activeStates: ["Todo"] })
      assert.lengthOf(found.activeStateIds, 3)
    })
  )

  it.live("that does not exist is a message that lists those there are", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make({ project: { name: "Garden", slugId: "0123456789ab" } })
      const message = yield* refusal(scene, { projectSlug: "symphony-ffffffffffff" })
      assert.strictEqual(
        message,
        'tracker.project_slug "symphony-ffffffffffff" is no project that this key can see; there are: "Garden" (0123456789ab); copy the project\'s address from Linear'
      )
    })
  )

  it.live("that is no project's address is a message that shows one", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const message = yield* refusal(scene, { projectSlug: "https://linear.app/acme/team/ENG" })
      assert.include(message, "is no project's address; write it as https://linear.app/")
      assert.lengthOf(scene.linear.requests(), 0)
    })
  )

  it.live("that is archived, in the trash, or without a team says so", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const { project } = scene.linear
      scene.linear.archiveProject(project.id)
      assert.include(yield* refusal(scene), "is archived; restore it")
      scene.linear.trashProject(project.id)
      assert.include(yield* refusal(scene), "is in Linear's trash; restore it")
      const lonely = scene.linear.createProject({ name: "Lonely", teams: [] })
      assert.include(yield* refusal(scene, { projectSlug: lonely.slugId }), "belongs to no team")
    })
  )

  it.live("with states that no team has lists the states of each team", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make({ teams: [{ key: "ENG" }, { key: "OPS" }] })
      const message = yield* refusal(scene, { activeStates: ["Todo", "Reedy"] })
      assert.include(
        message,
        'tracker.active_states names "Reedy", which no team of the project has: team ENG has "Backlog"'
      )
      assert.include(message, '; team OPS has "Backlog"')
    })
  )

  it.live("finds the assignee: me, an e-mail address in any case, or a UUID", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const grace = scene.linear.createUser({ name: "Grace Hopper" })
      const { viewer } = scene.linear
      for (const [assignee, id] of [
        ["me", viewer.id],
        ["Grace-Hopper@Example.com", grace.id],
        [grace.id, grace.id]
      ] as const) {
        assert.strictEqual((yield* resolve(scene, { assignee })).assignee?.id, id)
      }
    })
  )

  it.live("does not take an unknown assignee for nobody's issues", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      assert.include(yield* refusal(scene, { assignee: "nobody@example.com" }), "is nobody in this workspace")
      assert.include(yield* refusal(scene, { assignee: "grace" }), "is neither `me`, nor an e-mail address")
    })
  )
})
