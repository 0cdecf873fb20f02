/**
 * Rule 13: after a crash at any point and a restart no agent is duplicated, no queued run, no hold and no cost is
 * forgotten, and what was live is queued again. Judged by the history that the store had kept, not by its projections.
 */
import * as HashMap from "effect/HashMap"
import type { Hold } from "../../../domain/Hold.ts"
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import type { JournalRecord } from "../../../domain/Journal.ts"
import * as Usage from "../../../domain/Usage.ts"
import { reportAccidents } from "../Accident.ts"
import type { Checker, Moment, Report } from "../Checker.ts"

interface Kept {
  hold: Hold | null
  isQueued: boolean
  openRun: RunId | null
  /** What the runs had used when their ends were written down. */
  usage: Usage.Usage
}

const nothing = (): Kept => ({ hold: null, isQueued: false, openRun: null, usage: Usage.zero })

export const make = (): Checker => {
  const kept = new Map<IssueId, Kept>()
  let paused: string | null = null

  const pageOf = (id: IssueId): Kept => {
    const found = kept.get(id) ?? nothing()
    kept.set(id, found)
    return found
  }

  const take = (record: JournalRecord): void => {
    switch (record._tag) {
      case "RunClaimed":
        Object.assign(pageOf(record.issueId), { openRun: record.runId, isQueued: false })
        return
      case "RunEnded": {
        const page = pageOf(record.issueId)
        page.usage = Usage.add(page.usage, record.usage)
        return
      }
      case "RetryQueued":
        Object.assign(pageOf(record.issueId), { isQueued: true, openRun: null })
        return
      case "Released":
        Object.assign(pageOf(record.issueId), { isQueued: false, openRun: null })
        return
      case "HoldPlaced":
        Object.assign(pageOf(record.issueId), { hold: record.hold, isQueued: false })
        return
      case "HoldLifted":
        pageOf(record.issueId).hold = null
        return
      case "IssueSaved":
        if (record.projection.liveRun === null) pageOf(record.projection.issueId).openRun = null
        return
      case "IssueDropped":
        kept.delete(record.issueId)
        return
      case "FleetSaved":
        paused = record.projection.paused
    }
  }

  const checkIssue = ({ after, records }: Moment, id: IssueId, page: Kept, report: Report): void => {
    const found = HashMap.get(after.issues, id)
    if (found._tag === "None") {
      if (page.hold !== null || page.isQueued || page.openRun !== null) report("is forgotten by a restart", id)
      return
    }
    const { hold, retry, run, usage } = found.value
    const isLifted = records.some((record) => record._tag === "HoldLifted" && record.issueId === id)
    if (page.hold !== null && hold?._tag !== page.hold._tag && !isLifted) {
      report(`its hold (${page.hold._tag}) is forgotten by a restart`, id)
    }
    const isWaiting = page.isQueued || page.openRun !== null
    if (isWaiting && retry === null && hold === null && run === null) {
      report("its queued or interrupted run is forgotten by a restart", id)
    }
    if (Usage.tokens(usage) < Usage.tokens(page.usage)) report("what its runs used is forgotten by a restart", id)
  }

  return {
    rule: 13,
    name: "Restarts",
    onKept: take,
    onStep: (moment, report) => {
      const { after, commands, event, truth } = moment
      reportAccidents(truth, "unkept", report)
      reportAccidents(truth, "left", report)
      if (event._tag !== "Started") return
      for (const [id, page] of kept) checkIssue(moment, id, page, report)
      if (after.gates.paused !== paused) report("an operator's pause is forgotten by a restart")
      if (commands.some((command) => command._tag === "PrepareWorkspace" || command._tag === "LaunchRun")) {
        report("something starts before the tracker was read after a restart")
      }
    }
  }
}
