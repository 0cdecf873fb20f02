import { assert, describe, it } from "@effect/vitest"
import { issue, make } from "./World.ts"

describe("the snapshot", () => {
  it("shows every issue by its identifier, with phase, reason and numbers", () => {
    const world = make({
      policy: { maxConcurrentAgents: 1 },
      issues: [issue("b"), issue("B", { priority: 2 }), issue("a")]
    })
    world.launch("B")
    world.pass(2_000)
    const snapshot = world.snapshot()
    assert.deepStrictEqual(
      snapshot.issues.map(({ identifier, phase, runs }) => [identifier, phase, runs]),
      [
        ["B", "running", 1],
        ["a", "unclaimed", 0],
        ["b", "unclaimed", 0]
      ]
    )
    assert.deepInclude(snapshot.issues[0]?.run, {
      turn: 1,
      turnsCompleted: 0,
      ageMs: 2_000,
      silentMs: 2_000,
      attempt: null
    })
    assert.deepStrictEqual(snapshot.slots, { taken: 1, limit: 1 })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(snapshot)), snapshot)
  })

  it("shows how the tracker is doing", () => {
    const world = make()
    world.setTracker({ tag: "TrackerTimeout", message: "slow", retryable: true, retryAtWallMs: null })
    world.poll()
    assert.deepInclude(world.snapshot().tracker, { healthy: false, error: "slow", nextPollInMs: 1_000 })
    world.setTracker("answers")
    world.pass(1_000)
    assert.deepInclude(world.snapshot().tracker, { healthy: true, error: null })
    assert.deepStrictEqual([world.records("TrackerFailed").length, world.records("TrackerRecovered").length], [1, 1])
  })
})
