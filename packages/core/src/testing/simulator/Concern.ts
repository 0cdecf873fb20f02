/** Which issues a step is about. */
import type { IssueId } from "../../domain/Ids.ts"
import type { JournalRecord } from "../../domain/Journal.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Truth } from "./Truth.ts"

const issueOfEvent = (event: Event, truth: Truth): IssueId | undefined =>
  "issueId" in event ? event.issueId : "runId" in event ? truth.bodies.get(event.runId)?.issueId : undefined

const issueOfRecord = (record: JournalRecord): IssueId | undefined =>
  record._tag === "IssueSaved" ? record.projection.issueId : "issueId" in record ? record.issueId : undefined

/** The issues that a step names, those of the event first. */
export const concerned = (
  { event, records }: { readonly event: Event; readonly records: ReadonlyArray<JournalRecord> },
  truth: Truth
): ReadonlySet<IssueId> => {
  const ids = new Set<IssueId>()
  const first = issueOfEvent(event, truth)
  if (first !== undefined) ids.add(first)
  for (const record of records) {
    const id = issueOfRecord(record)
    if (id !== undefined) ids.add(id)
  }
  return ids
}
