import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Event } from "../../src/scheduler/Event.ts"
import * as Idle from "../../src/scheduler/Idle.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as Chaos from "./Chaos.ts"
import { down, id, issue, make, succeeded, tokens, type World } from "./World.ts"

const waitingFor = (world: World) => Idle.waitingFor(world.state(), world.at())
const needsPoll = (world: World) => Idle.needsPoll(world.state(), world.at())

/** A has run and left the active states; no poll has begun since. */
const ended = () => {
  const world = make({ issues: [issue("A")] })
  world.launch("A")
  world.pass(100)
  world.move("A", "Backlog")
  world.end("A")
  return world
}

describe("being idle", () => {
  it.prop(
    "is waiting for nothing",
    { seed: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })) },
    ({ seed }) => {
      const world = Chaos.make(seed)
      let state = world.first
      for (let index = 0; index < 150; index++) {
        const { at, event } = world.next(state)
        const result = transition(state, event, at)
        state = result.state
        world.ask(result.commands)
        const waiting = Idle.waitingFor(state, at)
        assert.strictEqual(Idle.isIdle(state, at), waiting.length === 0, waiting.join())
        if (Idle.needsPoll(state, at)) assert.deepStrictEqual(waiting, ["a poll that began after the last run ended"])
      }
    },
    { arbitrary: { runs: 40 } }
  )

  it("says what is missing: the first answer, a poll, a read", () => {
    const world = make({ issues: [], tracker: "waits" })
    assert.deepStrictEqual(waitingFor(world), ["the first answer of the tracker"])
    world.answer()
    world.pass(1)
    assert.deepStrictEqual(waitingFor(world), [])
    world.send(Event.PollRequested())
    assert.deepStrictEqual(waitingFor(world), ["the poll under way"])
    assert.deepStrictEqual(waitingFor(ended()), ["a poll that began after the last run ended"])
  })

  it("names the issues, in order", () => {
    const world = make({ issues: [issue("B"), issue("A")] })
    assert.deepStrictEqual(waitingFor(world), ["A: claimed", "B: claimed"])
  })

  it("waits for a workspace that could not be removed twice, and after the third time no longer", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Done")
    world.end("A")
    const lines: Array<number> = []
    for (let attempt = 0; attempt < 3; attempt++) {
      world.take("RemoveWorkspace")
      world.send(Event.RemovalFailed({ issueId: id("A"), reason: "busy" }))
      lines.push(waitingFor(world).filter((line) => line === "A: its workspace is being removed").length)
      world.pass(40_000)
    }
    assert.deepStrictEqual(lines, [1, 1, 0])
  })
})

describe("who waits for the end may ask for a poll", () => {
  it("when only that poll is missing, and it is not coming by itself yet", () => {
    const world = ended()
    assert.isTrue(needsPoll(world))
    world.send(Event.PollRequested())
    assert.isFalse(needsPoll(world))
  })

  it("but not while one is under way or due, the tracker is to be left alone, or something runs", () => {
    const world = ended()
    world.setTracker("waits")
    world.send(Event.PollRequested())
    assert.isFalse(needsPoll(world))
    world.take("PollCandidates")
    world.send(Event.CandidatesFailed({ problem: down }))
    assert.isFalse(needsPoll(world))
    const other = make({ issues: [issue("A"), issue("B")] })
    other.launch("A")
    other.launch("B")
    other.pass(100)
    other.move("A", "Backlog")
    other.end("A", succeeded, { usage: tokens(0) })
    assert.isFalse(needsPoll(other))
  })

  it("and not before the tracker has answered at all", () => {
    const world = make({ tracker: "waits" })
    assert.isFalse(needsPoll(world))
    assert.isFalse(Idle.isIdle(world.state(), world.at()))
  })
})
