import { describe } from "@effect/vitest"
import { Effect } from "effect"
import { IssueId } from "../../src/domain/Ids.ts"
import { JournalRecord, type StoredState } from "../../src/domain/Journal.ts"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import { RunStoreError, type RunStoreService, type StampedRecord } from "../../src/ports/RunStore.ts"
import { type RunStoreScene, runStoreSuite } from "../../src/testing/conformance/RunStoreSuite.ts"
import { plantAll, type Violations } from "./PlantedViolation.ts"
import { mapIssues, textRunStore } from "./RunStores.ts"

const storing =
  (change: (store: RunStoreService) => Partial<RunStoreService>) =>
  (scene: RunStoreScene): RunStoreScene => ({ ...scene, store: { ...scene.store, ...change(scene.store) } })

const loading = (change: (stored: StoredState) => StoredState) =>
  storing(({ load }) => ({ load: Effect.map(load, change) }))

const appending = (change: (records: ReadonlyArray<StampedRecord>) => ReadonlyArray<StampedRecord>) =>
  storing(({ append }) => ({ append: (records) => append(change(records)) }))

const stamp = (record: JournalRecord): StampedRecord => ({ atWallMs: 0, record })
const pausedFleet = stamp(JournalRecord.FleetSaved({ projection: { paused: "by nobody", usageByDay: [] } }))

/** Only the first record of a kind that `keyOf` names gets through. */
const onlyFirst =
  (keyOf: (record: JournalRecord) => string | null) =>
  (scene: RunStoreScene): RunStoreScene => {
    const seen = new Set<string>()
    return appending((records) =>
      records.filter(({ record }) => {
        const key = keyOf(record)
        const isNew = key === null || !seen.has(key)
        if (key !== null) seen.add(key)
        return isNew
      })
    )(scene)
  }

const violations: Violations<RunStoreScene> = {
  "has nothing to give back at first": loading((stored) => ({
    ...stored,
    fleet: stored.fleet ?? { paused: null, usageByDay: [] }
  })),
  "is not changed by an empty append": appending((records) => (records.length === 0 ? [pausedFleet] : records)),
  "keeps what it is given before append returns": storing(({ append }) => ({
    append: (records) => Effect.asVoid(Effect.forkDetach(Effect.delay(append(records), "1 second")))
  })),
  "keeps every field as it was": loading(
    mapIssues((issue) => ({ ...issue, usage: { ...issue.usage, costUsd: Number(issue.usage.costUsd.toFixed(2)) } }))
  ),
  "keeps every kind of hold": loading(
    mapIssues((issue) => (issue.hold?._tag === "Operator" && issue.hold.note === "" ? { ...issue, hold: null } : issue))
  ),
  "lets the newest projection of an issue win, in one append and over several": onlyFirst((record) =>
    record._tag === "IssueSaved" ? record.projection.issueId : null
  ),
  "keeps the order of the records within one append": appending((records) => records.toReversed()),
  "forgets an issue that was dropped": appending((records) =>
    records.filter(({ record }) => record._tag !== "IssueDropped")
  ),
  "does not mind the drop of an issue that it never had": storing(({ append }) => ({
    append: (records) =>
      records.every(({ record }) => record._tag === "IssueDropped")
        ? Effect.fail(new RunStoreError({ message: "no such issue" }))
        : append(records)
  })),
  "lets the newest projection of the fleet win": onlyFirst((record) => (record._tag === "FleetSaved" ? "fleet" : null)),
  "takes history without changing what is stored": appending((records) =>
    records.map((stamped) =>
      stamped.record._tag === "RunEnded" ? stamp(JournalRecord.IssueDropped({ issueId: IssueId("1") })) : stamped
    )
  ),
  "keeps many issues": loading((stored) => ({ ...stored, issues: stored.issues.slice(-100) })),
  "goes on after it was opened again": (scene) => ({ ...scene, reopen: Effect.sync(() => MemoryRunStore.make()) }),
  "shows nobody a part of an append, and mixes none with another": storing(({ append }) => ({
    append: (records) =>
      Effect.forEach(records, (record) => Effect.andThen(Effect.yieldNow, append([record])), { discard: true })
  })),
  "keeps nothing of an append that fails": storing(({ append }) => ({
    append: (records) => Effect.tapError(append(records), () => append(records.slice(0, 1)))
  }))
}

describe("the run store suite", () => {
  plantAll(violations, (plant) => runStoreSuite({ ...textRunStore, make: Effect.map(textRunStore.make, plant) }))
})
