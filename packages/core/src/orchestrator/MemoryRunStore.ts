/** A run store that lives as long as its process. It keeps the newest projections and a bounded tail of the history. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { IssueId } from "../domain/Ids.ts"
import type { FleetProjection, IssueProjection, StoredState } from "../domain/Journal.ts"
import { RunStore, type RunStoreService, type StampedRecord } from "../ports/RunStore.ts"

/** Records of the history that are kept; older ones are dropped. */
const historyKept = 10_000

export interface MemoryRunStore extends RunStoreService {
  /** The newest records, oldest first. */
  readonly history: () => ReadonlyArray<StampedRecord>
}

/** A store to look into; `kept` is what an earlier one gave back. */
export const make = (kept?: StoredState): MemoryRunStore => {
  const issues = new Map<IssueId, IssueProjection>(kept?.issues.map((issue) => [issue.issueId, issue]))
  let fleet: FleetProjection | null = kept?.fleet ?? null
  const history: Array<StampedRecord> = []
  const keep = ({ record }: StampedRecord): void => {
    if (record._tag === "IssueSaved") issues.set(record.projection.issueId, record.projection)
    else if (record._tag === "IssueDropped") issues.delete(record.issueId)
    else if (record._tag === "FleetSaved") fleet = record.projection
  }
  return {
    load: Effect.sync(() => ({ issues: [...issues.values()], fleet })),
    append: (records) =>
      Effect.sync(() => {
        for (const record of records) {
          keep(record)
          history.push(record)
        }
        if (history.length > 2 * historyKept) history.splice(0, history.length - historyKept)
      }),
    history: () => history.slice(-historyKept)
  }
}

export const layer: Layer.Layer<RunStore> = Layer.sync(RunStore, () => make())
