import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import type { JournalRecord } from "../../src/domain/Journal.ts"
import type { Policy } from "../../src/domain/Policy.ts"
import type { ProfileKind } from "../../src/testing/simulator/Profile.ts"
import * as Simulation from "../../src/testing/simulator/Simulation.ts"
import { privateText } from "../../src/testing/simulator/People.ts"
import type { Command } from "../../src/scheduler/Command.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as Sabotage from "./Sabotage.ts"

const worlds = 30

interface WorldOptions {
  readonly profile?: ProfileKind
  readonly policy?: Partial<Policy>
}

const firstBroken = (seed: number, faulty: typeof transition, options: WorldOptions): number | null =>
  Simulation.run({ seed, maxEvents: 1_500, transition: faulty, ...options }).violation?.rule ?? null

/** Some world finds this rule broken, and no other before it. */
const catches = (rule: number, faulty: typeof transition, options: WorldOptions = {}): void => {
  const others = new Set<number>()
  for (let seed = 1; seed <= worlds; seed++) {
    const broken = firstBroken(seed, faulty, options)
    if (broken === rule) return
    if (broken !== null) others.add(broken)
  }
  assert.fail(`no world finds rule ${rule} broken; these were: ${[...others].join(", ")}`)
}

describe("the checkers", () => {
  it("find nothing wrong with the scheduler itself", () => {
    for (let seed = 1; seed <= worlds; seed++) {
      assert.isNull(firstBroken(seed, transition, {}))
      assert.isNull(firstBroken(seed, transition, { profile: "awful" }))
    }
  })

  it("rule 1: catch a run that starts twice", () => {
    catches(
      1,
      Sabotage.changingCommands((commands) =>
        commands.flatMap((command): ReadonlyArray<Command> =>
          command._tag === "PrepareWorkspace" ? [command, command] : [command]
        )
      )
    )
  })

  it("rule 1: catch a run id that is used again", () => {
    catches(
      1,
      Sabotage.changingRecords((records) =>
        records.flatMap((record): ReadonlyArray<JournalRecord> =>
          record._tag === "RunClaimed" ? [record, record] : [record]
        )
      )
    )
  })

  it("rule 2: catch a start above the limit", () => {
    catches(2, Sabotage.underPolicy({ maxConcurrentAgents: 50 }), { policy: { maxConcurrentAgents: 1 } })
  })

  it("rule 2: catch a start above the limit of its state", () => {
    catches(2, Sabotage.underPolicy({ maxConcurrentAgentsByState: {} }), {
      policy: { maxConcurrentAgentsByState: { todo: 1 }, maxConcurrentAgents: 6 }
    })
  })

  it("rule 3: catch a start during an operator's pause", () => {
    catches(3, Sabotage.blindToGates({ paused: null }))
  })

  it("rule 3: catch a start behind a usage limit", () => {
    catches(3, Sabotage.blindToGates({ usageLimited: null }), { profile: "awful" })
  })

  it("rule 3: catch a start of an issue without a required label", () => {
    catches(3, Sabotage.underPolicy({ requiredLabels: [] }), { policy: { requiredLabels: ["agent"] } })
  })

  it("rule 3: catch a start on an old read", () => {
    catches(3, (state, event, at) => {
      if (event._tag !== "Tick") return transition(state, event, at)
      let believed = state
      for (const id of state.queued) {
        believed = Sabotage.withEntry(believed, id, (entry) => ({ ...entry, readAt: at.now }))
      }
      return transition(believed, event, at)
    })
  })

  it("rule 4: catch slots that stay free", () => {
    catches(4, Sabotage.underPolicy({ maxConcurrentAgents: 1 }), { policy: { maxConcurrentAgents: 5 } })
  })

  it("rule 4: catch a slot that is never given back", () => {
    catches(
      4,
      Sabotage.changingCommands((commands) => commands.filter((command) => command._tag !== "FinishRun"))
    )
  })

  it("rule 5: catch a failure that stops somebody else's run", () => {
    catches(
      5,
      Sabotage.changingRecords((records, state, event) => {
        if (event._tag !== "PreparationFailed") return records
        const [other] = state.live
        const entry = other === undefined ? undefined : HashMap.get(state.issues, other[1])
        if (other === undefined || entry?._tag !== "Some" || other[0] === event.runId) return records
        const { id, identifier } = entry.value.issue
        return [...records, { _tag: "StopOrdered", issueId: id, identifier, runId: other[0], reason: "in sympathy" }]
      }),
      { profile: "awful" }
    )
  })

  it("rule 6: catch the removal of a workspace in which a run is live", () => {
    catches(
      6,
      Sabotage.changingCommands((commands, state, event) => {
        if (event._tag !== "RunLaunched") return commands
        const id = HashMap.get(state.live, event.runId)
        const entry = id._tag === "Some" ? HashMap.get(state.issues, id.value) : undefined
        if (entry?._tag !== "Some" || entry.value.workspace === null) return commands
        return [...commands, { _tag: "RemoveWorkspace", workspace: entry.value.workspace, issue: entry.value.issue }]
      })
    )
  })

  it("rule 6: catch a workspace that is kept and forgotten", () => {
    catches(
      6,
      Sabotage.mistaking((event) =>
        event._tag === "WorkspaceKept" ? { _tag: "WorkspaceRemoved", issueId: event.issueId } : event
      ),
      { profile: "awful" }
    )
  })

  it("rule 7: catch an unconfirmed stop that counts as confirmed", () => {
    catches(
      7,
      Sabotage.mistaking((event) => (event._tag === "StopSettled" ? { ...event, result: "confirmed" } : event)),
      { profile: "awful" }
    )
  })

  it("rule 8: catch a retry that comes too early", () => {
    catches(8, Sabotage.underPolicy({ maxRetryBackoffMs: 10 }), { profile: "awful" })
  })

  it("rule 8: catch a wake-up that nobody asks for", () => {
    catches(8, (state, event, at) => {
      const step = transition(state, event, at)
      const others = step.commands.filter((command) => command._tag !== "WakeAt")
      if (others.length === step.commands.length) return step
      const { dueAt, inFlight } = step.state.poll
      const wakeAt = inFlight ? at.now + 120_000 : Math.max(dueAt, at.now)
      return { ...step, state: { ...step.state, wakeAt }, commands: [...others, { _tag: "WakeAt", at: wakeAt }] }
    })
  })

  it("rule 9: catch a failure that is counted for a gate", () => {
    catches(
      9,
      Sabotage.mistaking((event) => (event._tag === "LaunchFailed" ? { ...event, unavailable: false } : event)),
      { profile: "awful" }
    )
  })

  it("rule 10: catch a limit that leads to no hold", () => {
    catches(10, Sabotage.underPolicy({ maxRunsPerIssue: 0 }), { policy: { maxRunsPerIssue: 2 } })
  })

  it("rule 10: catch a hold that is lifted by itself", () => {
    catches(
      10,
      Sabotage.changingState((state, event) => {
        if (event._tag !== "Tick") return state
        for (const id of state.held) {
          return Sabotage.noneHeld(Sabotage.withEntry(state, id, (entry) => ({ ...entry, hold: null })))
        }
        return state
      }),
      { policy: { maxRunsPerIssue: 2 } }
    )
  })

  it("rule 11: catch an outcome that is written down as another", () => {
    catches(
      11,
      Sabotage.mistaking((event) =>
        event._tag === "RunFinished" && event.outcome._tag === "Succeeded"
          ? { ...event, outcome: { _tag: "Failed", reason: "so it seems" } }
          : event
      )
    )
  })

  it("rule 11: catch an old run's event that changes a newer run", () => {
    catches(
      11,
      Sabotage.mistaking((event, state) => {
        if (event._tag !== "Activity" || HashMap.has(state.live, event.runId)) return event
        const [other] = state.live
        return other === undefined ? event : { ...event, runId: other[0] }
      }),
      { profile: "awful" }
    )
  })

  it("rule 12: catch an index that is out of step", () => {
    catches(12, Sabotage.changingState(Sabotage.noneHeld), { policy: { maxRunsPerIssue: 2 } })
  })

  it("rule 13: catch what a restart forgets", () => {
    catches(
      13,
      Sabotage.changingRecords((records) =>
        records.map((record) =>
          record._tag === "IssueSaved" ? { ...record, projection: { ...record.projection, hold: null } } : record
        )
      ),
      { profile: "awful", policy: { maxRunsPerIssue: 2 } }
    )
  })

  it("rule 14: catch private text in a record", () => {
    catches(
      14,
      Sabotage.changingRecords((records) =>
        records.map((record) => (record._tag === "RunClaimed" ? { ...record, identifier: privateText } : record))
      )
    )
  })

  it("rule 15: catch a system that does not come to rest", () => {
    catches(
      15,
      Sabotage.changingCommands((commands) => commands.filter((command) => command._tag !== "RemoveWorkspace"))
    )
  })
})
