import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { IssueId } from "../../src/domain/Ids.ts"
import type { FleetProjection, IssueProjection } from "../../src/domain/Journal.ts"
import { Event } from "../../src/scheduler/Event.ts"
import * as Saving from "../../src/scheduler/Saving.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as Chaos from "./Chaos.ts"
import { issue, make, noon } from "./World.ts"

const seeds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))

/** Plays a chaotic world whose clocks agree, and hands every step to a store. */
const play = (
  seed: number,
  see: (step: ReturnType<typeof transition>, event: Event, now: number, isFirstStart: boolean) => void
): void => {
  const world = Chaos.make(seed)
  let state = world.first
  for (let index = 0; index < 250; index++) {
    const { at, event } = world.next(state)
    const step = transition(state, event, { now: at.now, wallTime: noon + at.now })
    see(step, event, at.now, event._tag === "Started" && !state.started)
    state = step.state
    world.ask(step.commands)
  }
}

describe("what is written down", () => {
  it.prop(
    "is at every moment what a store would have to know",
    { seed: seeds },
    ({ seed }) => {
      const kept = new Map<IssueId, IssueProjection>()
      let fleet: FleetProjection | null = null
      play(seed, ({ records, state }, event, now, isFirstStart) => {
        if (event._tag === "Started" && isFirstStart) {
          for (const projection of event.stored.issues) kept.set(projection.issueId, projection)
        }
        for (const record of records) {
          if (record._tag === "IssueSaved") kept.set(record.projection.issueId, record.projection)
          else if (record._tag === "IssueDropped") assert.isTrue(kept.delete(record.issueId), "dropped in vain")
          else if (record._tag === "FleetSaved") fleet = record.projection
        }
        const wanted = Saving.projections(state, { now, wallTime: noon + now })
        assert.deepStrictEqual(
          new Map([...kept].toSorted(([self], [that]) => (self < that ? -1 : 1))),
          new Map(
            wanted
              .toSorted((self, that) => (self.issueId < that.issueId ? -1 : 1))
              .map((projection) => [projection.issueId, projection])
          )
        )
        const { paused } = state.gates
        if (fleet !== null) assert.deepStrictEqual(fleet, { paused, usageByDay: state.usageByDay })
        else assert.deepStrictEqual([paused, state.usageByDay.length], [null, 0])
      })
    },
    { arbitrary: { runs: 25 } }
  )

  it.prop(
    "closes and opens each gate in turn",
    { seed: seeds },
    ({ seed }) => {
      const closed = new Set<string>()
      play(seed, ({ records, state }) => {
        for (const record of records) {
          if (record._tag === "GateClosed") {
            assert.isFalse(closed.has(record.gate), `${record.gate} is closed already`)
            closed.add(record.gate)
          } else if (record._tag === "GateOpened") assert.isTrue(closed.delete(record.gate), `${record.gate} was open`)
        }
        assert.sameMembers([...closed], [...state.closedGates])
      })
    },
    { arbitrary: { runs: 25 } }
  )

  it("is nothing about an issue of which nothing has changed that outlives a crash", () => {
    const world = make({ issues: [issue("A")], policy: { maxTurns: 3 } })
    const runId = world.launch("A")
    world.forgetRecords()
    world.edit("A", { title: "Clearer", priority: 1 })
    world.poll()
    world.send(Event.Activity({ runId, summary: "" }))
    world.pass(60_000)
    assert.deepStrictEqual(world.records("IssueSaved"), [])
    world.edit("A", { identifier: "A-renamed" })
    world.poll()
    assert.strictEqual(world.records("IssueSaved")[0]?.projection.identifier, "A-renamed")
  })

  it.each([
    ["Done", "in the terminal state Done"],
    ["Backlog", "in the state Backlog, which is not active"],
    [null, "gone from the tracker"]
  ])("of an issue that is forgotten (now %j) says why", (state, reason) => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    if (state === null) world.remove("A")
    else world.move("A", state)
    for (let poll = 0; poll < 30; poll++) world.poll()
    assert.deepInclude(world.records("Forgotten")[0], { reason, claims: 0, identifier: "A" })
    assert.isFalse(world.isKnown("A"))
  })
})
