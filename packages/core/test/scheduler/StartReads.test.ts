import { assert, describe, it } from "@effect/vitest"
import * as HashSet from "effect/HashSet"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, issue, make, tokens } from "./World.ts"

describe("reads for starts", () => {
  it("are asked for no more issues than there are free slots while the tracker is to be left alone", () => {
    const names = ["A", "B", "C", "D", "E", "F"]
    const world = make({ policy: { maxConcurrentAgents: 2 }, issues: names.map((name) => issue(name)) })
    const runId = world.launch("A")
    world.pass(6_000)
    world.move("A", "Done")
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(0) }))
    world.setTracker(down)
    world.close(runId, true)
    world.send(Event.Tick())
    world.send(Event.Tick())
    assert.strictEqual(HashSet.size(world.state().demand.wanted), 1)
  })
})
