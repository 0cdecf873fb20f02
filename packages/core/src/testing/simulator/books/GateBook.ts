/**
 * Which gates are closed, from what the scheduler was told. Where the rules leave room (how long a limit without a
 * named end lasts), a gate has a span in which it must be closed and a longer one in which it may be.
 */
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import type { JournalRecord } from "../../../domain/Journal.ts"
import * as Outcome from "../../../domain/Outcome.ts"
import type { Policy } from "../../../domain/Policy.ts"
import * as Usage from "../../../domain/Usage.ts"
import type { Event, TrackerProblem } from "../../../scheduler/Event.ts"
import type { ClosedGate, Instant } from "../../../scheduler/State.ts"
import type { RunBook } from "./RunBook.ts"

type Gate = ClosedGate["gate"]

export interface GateBook {
  /** The gates that must be closed now, but for the runtime's trial. */
  readonly certainlyClosed: (at: Instant, policy: Policy) => ReadonlyArray<Gate>
  /** Whether some gate may be closed now. */
  readonly mayBeClosed: (at: Instant, policy: Policy) => boolean
  /** Until when the tracker may be left alone after failures. */
  readonly trackerRestsUntil: () => number
  /** Runs of many issues failed in a row, and no turn completed since. */
  readonly isFailing: () => boolean
  /** The run that tries such a runtime out; null when none is under way. */
  readonly trial: () => RunId | null
  readonly noteEvent: (event: Event, at: Instant, policy: Policy) => void
  readonly noteRecord: (record: JournalRecord, at: Instant, policy: Policy) => void
}

/** From when to when a gate is closed: surely, and at most. */
interface Span {
  sure: number
  most: number
}

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const issuesThatClose = 5

const extend = (span: Span, sure: number, most: number): void => {
  span.sure = Math.max(span.sure, sure)
  span.most = Math.max(span.most, most)
}

/** Closes until an instant that another clock named, or for a while that nobody named. */
const closeUntil = (span: Span, untilWallMs: number | null, at: Instant, longest: number): void => {
  if (untilWallMs === null || untilWallMs <= at.wallTime) return extend(span, at.now + minute, at.now + hour)
  const until = at.now + Math.min(untilWallMs - at.wallTime, longest)
  extend(span, until, until)
}

export const make = (runBook: RunBook): GateBook => {
  let paused = false
  let draining = false
  let misconfigured = false
  let reportedDown = false
  let down: Span = { sure: 0, most: 0 }
  let tracker: Span = { sure: 0, most: 0 }
  let usage: Span = { sure: 0, most: 0 }
  let trackerRestsUntil = 0
  let failing: { noTrialBefore: number; trial: RunId | null } | null = null
  const streak = new Set<IssueId>()
  const usageByDay = new Map<number, Usage.Usage>()
  const counted = new Map<RunId, Usage.Usage>()

  const spend = (runId: RunId, total: Usage.Usage, at: Instant): void => {
    const before = counted.get(runId) ?? Usage.zero
    const after = Usage.max(before, total)
    counted.set(runId, after)
    const today = Math.floor(at.wallTime / day)
    usageByDay.set(today, Usage.add(usageByDay.get(today) ?? Usage.zero, Usage.beyond(after, before)))
  }

  const trackerFailed = (problem: TrackerProblem, at: Instant, policy: Policy): void => {
    trackerRestsUntil = Math.max(trackerRestsUntil, at.now + policy.pollIntervalMs)
    if (problem.tag !== "TrackerRateLimited") return
    closeUntil(tracker, problem.retryAtWallMs, at, hour)
    trackerRestsUntil = Math.max(trackerRestsUntil, tracker.most)
  }

  const runtimeWorks = (): void => {
    failing = null
    streak.clear()
    down = { sure: 0, most: 0 }
  }

  const noteEvent = (event: Event, at: Instant, policy: Policy): void => {
    switch (event._tag) {
      case "Started":
        paused = event.stored.fleet?.paused != null
        draining = false
        misconfigured = false
        reportedDown = false
        tracker = { sure: 0, most: 0 }
        usage = { sure: 0, most: 0 }
        trackerRestsUntil = 0
        runtimeWorks()
        usageByDay.clear()
        counted.clear()
        for (const kept of event.stored.fleet?.usageByDay ?? []) usageByDay.set(kept.day, kept.usage)
        return
      case "PauseRequested":
        paused = true
        return
      case "ResumeRequested":
        paused = false
        return
      case "DrainRequested":
        draining = true
        return
      case "ConfigurationJudged":
        if (event.problem === null) misconfigured = false
        else if (event.closesGate) misconfigured = true
        return
      case "RuntimeDown":
        reportedDown = true
        return
      case "RuntimeUp":
        reportedDown = false
        down = { sure: 0, most: 0 }
        return
      case "CandidatesFailed":
      case "IssuesReadFailed":
        return trackerFailed(event.problem, at, policy)
      case "CandidatesPolled":
      case "IssuesRead":
        if (at.now >= tracker.most) trackerRestsUntil = Math.min(trackerRestsUntil, at.now)
        return
      case "LaunchFailed": {
        const page = runBook.runs.get(event.runId)
        const isNews = page?.launch === "ordered" && page.outcome === null && page.stopOrderedAt === null
        if (!event.unavailable || !isNews || event.stopped !== "confirmed") return
        return wentDown(at, policy)
      }
      case "TurnCompleted": {
        const page = runBook.runs.get(event.runId)
        if (page !== undefined && page.launch !== "none" && page.outcome === null) runtimeWorks()
        return
      }
      case "SessionUpdated":
      case "RunFinished":
        if (runBook.runs.has(event.runId)) spend(event.runId, event.usage, at)
    }
  }

  const wentDown = (at: Instant, policy: Policy): void => {
    const firstMs = Math.min(10_000, policy.maxRetryBackoffMs)
    // What fails while the gate is closed was under way when it closed.
    const mayBeClosed = at.now < down.most
    extend(down, mayBeClosed ? 0 : at.now + firstMs, at.now + policy.maxRetryBackoffMs)
  }

  const runFailedEarly = (issueId: IssueId, runId: RunId, at: Instant, policy: Policy): void => {
    const noTrialBefore = at.now + Math.min(10_000, policy.maxRetryBackoffMs)
    if (failing === null) {
      streak.add(issueId)
      if (streak.size >= issuesThatClose) failing = { noTrialBefore, trial: null }
    } else if (failing.trial === runId) {
      failing.noTrialBefore = noTrialBefore
    }
  }

  const noteRecord = (record: JournalRecord, at: Instant, policy: Policy): void => {
    if (record._tag === "RunClaimed" && failing !== null) failing.trial ??= record.runId
    if (record._tag !== "RunEnded") return
    const { issueId, outcome, runId } = record
    if (outcome._tag === "UsageLimited") closeUntil(usage, outcome.untilMs, at, 7 * day)
    if (outcome._tag === "Failed" && outcome.unavailable === true) wentDown(at, policy)
    const page = runBook.runs.get(runId)
    const isEarly = page !== undefined && page.launch !== "none" && page.turns === 0
    if (isEarly && Outcome.isFailure(outcome)) runFailedEarly(issueId, runId, at, policy)
    if (failing?.trial === runId) failing.trial = null
  }

  const isOverBudget = (at: Instant, policy: Policy): boolean => {
    const today = usageByDay.get(Math.floor(at.wallTime / day)) ?? Usage.zero
    const { maxCostUsdPerDay, maxTokensPerDay } = policy
    const isAbove = (limit: number, amount: number): boolean => limit > 0 && amount >= limit
    return isAbove(maxTokensPerDay, Usage.tokens(today)) || isAbove(maxCostUsdPerDay, today.costUsd)
  }

  const certainlyClosed = (at: Instant, policy: Policy): ReadonlyArray<Gate> => {
    const closed: Array<Gate> = []
    if (paused) closed.push("paused")
    if (draining) closed.push("draining")
    if (misconfigured) closed.push("configuration")
    if (reportedDown || at.now < down.sure) closed.push("runtime_down")
    if (at.now < tracker.sure) closed.push("tracker")
    if (at.now < usage.sure) closed.push("usage_limit")
    if (failing !== null && at.now < failing.noTrialBefore) closed.push("runtime_failing")
    if (isOverBudget(at, policy)) closed.push("daily_budget")
    return closed
  }

  return {
    certainlyClosed,
    mayBeClosed: (at, policy) =>
      failing !== null ||
      at.now < Math.max(down.most, tracker.most, usage.most) ||
      certainlyClosed(at, policy).length > 0,
    trackerRestsUntil: () => trackerRestsUntil,
    isFailing: () => failing !== null,
    trial: () => failing?.trial ?? null,
    noteEvent,
    noteRecord
  }
}
