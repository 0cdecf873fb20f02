/** Where each issue stands according to the records: hold, queued run, counters, live run. Survives restarts. */
import type { Hold } from "../../../domain/Hold.ts"
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import { type Counters, type IssueProjection, type JournalRecord, noCounters } from "../../../domain/Journal.ts"
import type { RetryKind } from "../../../domain/Journal.ts"
import * as Usage from "../../../domain/Usage.ts"
import type { Event } from "../../../scheduler/Event.ts"
import type { Instant } from "../../../scheduler/State.ts"

export interface QueuedRun {
  readonly kind: RetryKind
  /** Monotonic milliseconds of the living process. */
  readonly dueAt: number
}

export interface IssuePage {
  readonly id: IssueId
  hold: Hold | null
  retry: QueuedRun | null
  counters: Counters
  usage: Usage.Usage
  allowanceBase: Usage.Usage
  liveRun: RunId | null
  hasWorkspace: boolean
  /** When any of this changed. */
  changedAt: number
}

export interface IssueBook {
  readonly pages: ReadonlyMap<IssueId, IssuePage>
  /** A new process begins with what the store gave back. */
  readonly noteEvent: (event: Event, at: Instant) => void
  readonly note: (record: JournalRecord, now: number) => void
}

const longestDelayMs = 7 * 86_400_000

const newPage = (id: IssueId, now: number): IssuePage => ({
  id,
  hold: null,
  retry: null,
  counters: noCounters,
  usage: Usage.zero,
  allowanceBase: Usage.zero,
  liveRun: null,
  hasWorkspace: false,
  changedAt: now
})

export const make = (): IssueBook => {
  const pages = new Map<IssueId, IssuePage>()

  const page = (id: IssueId, now: number): IssuePage => {
    let found = pages.get(id)
    if (found === undefined) {
      found = newPage(id, now)
      pages.set(id, found)
    }
    found.changedAt = now
    return found
  }

  const copy = (projection: IssueProjection, now: number): IssuePage => {
    const target = page(projection.issueId, now)
    target.hold = projection.hold
    target.counters = projection.counters
    target.usage = projection.usage
    target.allowanceBase = projection.allowanceBase
    target.liveRun = projection.liveRun
    target.hasWorkspace = projection.workspace !== null
    return target
  }

  const note = (record: JournalRecord, now: number): void => {
    switch (record._tag) {
      case "RunClaimed": {
        const target = page(record.issueId, now)
        target.retry = null
        target.liveRun = record.runId
        return
      }
      case "RetryQueued":
        page(record.issueId, now).retry = { kind: record.kind, dueAt: now + record.delayMs }
        return
      case "Released":
        page(record.issueId, now).retry = null
        return
      case "HoldPlaced": {
        const target = page(record.issueId, now)
        target.hold = record.hold
        target.retry = null
        return
      }
      case "HoldLifted":
        page(record.issueId, now).hold = null
        return
      case "IssueSaved":
        copy(record.projection, now)
        return
      case "IssueDropped":
        pages.delete(record.issueId)
    }
  }

  return {
    pages,
    noteEvent: (event, { now, wallTime }) => {
      if (event._tag === "WorkspaceRemoved" || event._tag === "WorkspaceKept" || event._tag === "RemovalFailed") {
        const found = pages.get(event.issueId)
        if (found !== undefined) {
          found.changedAt = now
          if (event._tag === "WorkspaceRemoved") found.hasWorkspace = false
        }
      }
      if (event._tag !== "Started") return
      pages.clear()
      for (const projection of event.stored.issues) {
        const target = copy(projection, now)
        target.liveRun = null
        if (projection.hold !== null || projection.retry === null) continue
        const { dueAtWallMs, kind } = projection.retry
        target.retry = { kind, dueAt: now + Math.min(Math.max(0, dueAtWallMs - wallTime), longestDelayMs) }
      }
    },
    note
  }
}
