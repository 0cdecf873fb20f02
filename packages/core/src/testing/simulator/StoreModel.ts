/**
 * The run store of a simulated world: it keeps what was appended, in order, and gives back the newest projections. While
 * it is out of order, what was handed to it is not kept, and is lost when the process dies.
 */
import type { IssueId } from "../../domain/Ids.ts"
import type { FleetProjection, IssueProjection, JournalRecord, StoredState } from "../../domain/Journal.ts"

export interface StoreModel {
  readonly append: (records: ReadonlyArray<JournalRecord>) => void
  readonly load: () => StoredState
}

export const make = (): StoreModel => {
  const issues = new Map<IssueId, IssueProjection>()
  let fleet: FleetProjection | null = null
  return {
    append: (records) => {
      for (const record of records) {
        if (record._tag === "IssueSaved") issues.set(record.projection.issueId, record.projection)
        else if (record._tag === "IssueDropped") issues.delete(record.issueId)
        else if (record._tag === "FleetSaved") fleet = record.projection
      }
    },
    load: () => ({ issues: [...issues.values()], fleet })
  }
}
