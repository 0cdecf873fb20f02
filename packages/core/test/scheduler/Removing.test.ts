import { assert, describe, it } from "@effect/vitest"
import * as Backoff from "../../src/scheduler/Backoff.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, reference, workspace } from "./World.ts"

const issueId = id("A")

/** A finished its work; its workspace is being removed. */
const removing = () => {
  const world = make({ issues: [issue("A"), issue("B")] })
  world.launch("A")
  world.move("A", "Done")
  world.end("A")
  world.take("RemoveWorkspace")
  return world
}

describe("the workspace of a terminal issue", () => {
  it("is removed, and then the issue is forgotten", () => {
    const world = removing()
    world.poll()
    assert.isTrue(world.isKnown("A"))
    world.send(Event.WorkspaceRemoved({ issueId }))
    world.poll()
    assert.isFalse(world.isKnown("A"))
    assert.deepInclude(world.records("WorkspaceRemoved")[0], { path: "/workspaces/A" })
    assert.deepInclude(world.records("Forgotten")[0], { state: "Done", claims: 1 })
    assert.strictEqual(world.records("IssueDropped").length, 1)
  })

  it("that is kept on evidence is reported and looked at again after an hour", () => {
    const world = removing()
    world.send(Event.WorkspaceKept({ issueId, reason: "uncommitted work" }))
    assert.deepInclude(world.records("WorkspaceKept")[0], { reason: "uncommitted work" })
    world.pass(Backoff.keptRecheckMs - 1)
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
    world.pass(1)
    assert.strictEqual(world.asked("RemoveWorkspace").length, 1)
  })

  it("that cannot be removed is tried again after 10, 20, 40 seconds, and nobody waits for it", () => {
    const world = removing()
    for (const delayMs of [10_000, 20_000, 40_000]) {
      world.send(Event.RemovalFailed({ issueId, reason: "busy" }))
      world.pass(delayMs - 1)
      assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
      world.pass(1)
      world.take("RemoveWorkspace")
    }
    assert.strictEqual(world.phase("B"), "claimed")
    assert.strictEqual(Backoff.removalDelayMs(99), 600_000)
  })

  it("whose issue is active again is not removed any more, and the issue starts in it", () => {
    const world = removing()
    world.send(Event.RemovalFailed({ issueId, reason: "busy" }))
    world.move("A", "Todo")
    world.poll()
    assert.strictEqual(world.phase("A"), "claimed")
    world.pass(60_000)
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
  })

  it("whose state is terminal no longer is not removed any more", () => {
    const world = removing()
    world.send(Event.RemovalFailed({ issueId, reason: "busy" }))
    world.setPolicy({ terminalStates: ["closed"] })
    assert.isNull(world.entry("A").removal)
  })

  it("lets an issue that is active again wait until the removal under way has ended", () => {
    const world = removing()
    world.move("A", "Todo")
    world.poll()
    assert.strictEqual(world.phase("A"), "unclaimed")
    assert.strictEqual(world.decision("A")._tag, "RemovingWorkspace")
    world.send(Event.WorkspaceRemoved({ issueId }))
    assert.strictEqual(world.phase("A"), "claimed")
    assert.isNull(world.entry("A").workspace)
  })

  it("is not removed under a live run", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Done")
    world.poll()
    world.pass(59_000)
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
  })

  it("is not begun while the orchestrator shuts down", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.move("A", "Done")
    world.poll()
    world.send(Event.DrainRequested())
    world.send(Event.RunFinished({ runId, outcome: failed, usage: world.run("A").usage }))
    world.close(runId, false)
    assert.strictEqual(world.phase("A"), "released")
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
  })

  it("follows a policy that makes its state terminal", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Review")
    world.end("A")
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
    world.setPolicy({ terminalStates: ["review"] })
    assert.deepStrictEqual(world.take("RemoveWorkspace").workspace, workspace("A"))
  })
})

describe("a released issue", () => {
  it("is remembered until a poll is newer than what was read of it, for those whom it blocks", () => {
    const world = make({ policy: { maxConcurrentAgents: 2 }, issues: [issue("B")] })
    world.launch("B")
    world.move("B", "Review")
    world.put(issue("A", { blockedBy: [reference("B", "Review")] }))
    world.poll()
    assert.strictEqual(world.decision("A")._tag, "Blocked")
    world.pass(1_000)
    world.move("B", "Done")
    world.end("B")
    world.take("RemoveWorkspace")
    world.send(Event.WorkspaceRemoved({ issueId: id("B") }))
    assert.isTrue(world.isKnown("B"))
    world.prepare("A")
    assert.strictEqual(world.asked("LaunchRun").length, 1)
    world.edit("A", { blockedBy: [reference("B", "Done")] })
    world.poll()
    assert.isFalse(world.isKnown("B"))
  })

  it("with a hold is remembered", () => {
    const world = make({ issues: [issue("A"), issue("B")], policy: { maxConcurrentAgents: 1 } })
    world.send(Event.HoldRequested({ issueId: id("B"), note: "" }))
    world.move("B", "Backlog")
    world.poll()
    world.poll()
    assert.isTrue(world.isKnown("B"))
  })

  it("is forgotten in the store as well when it was only held", () => {
    const world = make({ issues: [issue("A"), issue("B")], policy: { maxConcurrentAgents: 1 } })
    world.send(Event.HoldRequested({ issueId: id("B"), note: "" }))
    assert.strictEqual(world.records("IssueSaved").at(-1)?.projection.issueId, id("B"))
    world.send(Event.ReleaseRequested({ issueId: id("B") }))
    assert.deepStrictEqual(
      world.records("IssueDropped").map((record) => record.issueId),
      [id("B")]
    )
  })
})
