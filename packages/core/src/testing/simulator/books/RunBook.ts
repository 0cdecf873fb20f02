/** The runs of the living process as its records and the delivered events tell of them. */
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import type { Issue } from "../../../domain/Issue.ts"
import type { JournalRecord, RetryKind } from "../../../domain/Journal.ts"
import type { Outcome } from "../../../domain/Outcome.ts"
import * as Usage from "../../../domain/Usage.ts"
import type { Command } from "../../../scheduler/Command.ts"
import type { Event } from "../../../scheduler/Event.ts"

export interface RunPage {
  readonly runId: RunId
  readonly issueId: IssueId
  readonly kind: "first" | RetryKind
  /** The issue as claimed; null until the command that begins the run was seen. */
  issue: Issue | null
  launch: "none" | "ordered" | "answered"
  /** Turns that were reported as completed while the run was live. */
  turns: number
  fingerprint: string | null
  stopOrderedAt: number | null
  /** It ended before its agent came up, for no reason of its own: nothing of it counts. */
  wasPutBack: boolean
  /** The world has told the scheduler that nothing of this run goes on at present. */
  isKnownOver: boolean
  outcome: Outcome | null
  /** When its workspace was closed, and the fingerprint then. */
  closed: { readonly at: number; readonly fingerprint: string | null } | null
  usage: Usage.Usage
}

export interface RunBook {
  readonly runs: ReadonlyMap<RunId, RunPage>
  /** Whether a claim ever used this id, in any process. */
  readonly wasUsed: (runId: RunId) => boolean
  readonly noteEvent: (event: Event, now: number) => void
  readonly noteRecord: (record: JournalRecord, event: Event, now: number, kind: "first" | RetryKind) => void
  readonly noteCommand: (command: Command) => void
}

const isOver = (event: Event): boolean =>
  event._tag === "RunFinished" ||
  event._tag === "WorkspacePrepared" ||
  event._tag === "PreparationFailed" ||
  (event._tag === "StopSettled" && event.result === "confirmed") ||
  (event._tag === "LaunchFailed" && event.stopped === "confirmed")

/** What ends a run before its agent came up although nothing of it failed. */
const isNoFault = (event: Event): boolean =>
  event._tag === "WorkspacePrepared" || (event._tag === "LaunchFailed" && event.unavailable)

export const make = (): RunBook => {
  const runs = new Map<RunId, RunPage>()
  const used = new Set<RunId>()

  const noteEvent = (event: Event, now: number): void => {
    if (event._tag === "Started") return runs.clear()
    if (!("runId" in event)) return
    const page = runs.get(event.runId)
    if (page === undefined) return
    if (isOver(event) && (event._tag !== "WorkspacePrepared" || page.launch === "none")) page.isKnownOver = true
    switch (event._tag) {
      case "WorkspacePrepared":
        page.fingerprint = event.fingerprint
        return
      case "RunLaunched":
        page.launch = "answered"
        return
      case "TurnCompleted":
        if (page.outcome === null && page.launch !== "none") page.turns++
        return
      case "SessionUpdated":
      case "RunFinished":
        page.usage = Usage.max(page.usage, event.usage)
        return
      case "RunClosed":
        if (page.outcome !== null) page.closed ??= { at: now, fingerprint: event.fingerprint }
    }
  }

  const noteRecord = (record: JournalRecord, event: Event, now: number, kind: "first" | RetryKind): void => {
    switch (record._tag) {
      case "RunClaimed": {
        const { issueId, runId } = record
        used.add(runId)
        runs.set(runId, {
          runId,
          issueId,
          kind,
          issue: null,
          launch: "none",
          turns: 0,
          fingerprint: null,
          stopOrderedAt: null,
          wasPutBack: false,
          isKnownOver: false,
          outcome: null,
          closed: null,
          usage: Usage.zero
        })
        return
      }
      case "StopOrdered": {
        const page = runs.get(record.runId)
        if (page !== undefined) page.stopOrderedAt = now
        return
      }
      case "RunEnded": {
        const page = runs.get(record.runId)
        if (page === undefined) return
        page.outcome = record.outcome
        page.wasPutBack = page.stopOrderedAt === null && isNoFault(event)
      }
    }
  }

  return {
    runs,
    wasUsed: (runId) => used.has(runId),
    noteEvent,
    noteRecord,
    noteCommand: (command) => {
      if (command._tag === "PrepareWorkspace") {
        const page = runs.get(command.run.runId)
        if (page !== undefined) page.issue = command.run.issue
      } else if (command._tag === "LaunchRun") {
        const page = runs.get(command.run.runId)
        if (page === undefined) return
        page.launch = "ordered"
        page.isKnownOver = false
      }
    }
  }
}
