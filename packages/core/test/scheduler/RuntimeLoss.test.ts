import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "../../src/domain/Outcome.ts"
import type * as Policy from "../../src/domain/Policy.ts"
import { failed, issue, make } from "./World.ts"

const lost = Outcome.Failed({ reason: "the server is gone", unavailable: true })

const started = (policy: Partial<Policy.Policy> = {}, names: ReadonlyArray<string> = ["A"]) => {
  const world = make({ policy, issues: names.map((name) => issue(name)) })
  for (const name of names) world.launch(name)
  return world
}

describe("a runtime that goes down under a run", () => {
  it("is no failure of the issue, and no attempt", () => {
    const world = started()
    world.end("A", lost)
    const { attempts, failures, runs } = world.counters("A")
    assert.deepStrictEqual({ attempts, failures, runs }, { attempts: 0, failures: 0, runs: 0 })
  })

  it("starts nothing for a backoff, and then the same issue again", () => {
    const world = started()
    world.end("A", lost)
    world.pass(9_999)
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.include(world.reason("A"), "the server is gone")
    world.pass(1)
    assert.strictEqual(world.phase("A"), "claimed")
    assert.isNull(world.run("A").attempt)
  })

  it("closes its gate once for all the runs that it takes with it", () => {
    const names = ["A", "B", "C", "D", "E", "F"]
    const world = started({ maxConcurrentAgents: 6 }, names)
    for (const name of names) world.end(name, lost)
    world.pass(10_000)
    assert.deepStrictEqual(
      names.map((name) => world.phase(name)),
      names.map(() => "claimed")
    )
  })

  it("five times in a row under the same issue counts as a failure of that", () => {
    const world = started({ maxRetryBackoffMs: 20 })
    world.end("A", lost)
    for (let time = 2; time <= 5; time++) world.again("A", lost)
    assert.strictEqual(world.counters("A").failures, 1)
  })

  it("leaves the failures before it counted", () => {
    const world = started({ maxRetryBackoffMs: 20 })
    world.end("A", failed)
    world.again("A", lost)
    assert.strictEqual(world.counters("A").failures, 1)
  })
})
