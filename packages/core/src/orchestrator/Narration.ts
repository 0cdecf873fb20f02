/** The journal as log lines: one event a line, with the fields that say which issue and run it is about. */
import * as Effect from "effect/Effect"
import * as Hold from "../domain/Hold.ts"
import type { RunId, SessionId } from "../domain/Ids.ts"
import { JournalRecord } from "../domain/Journal.ts"
import * as Outcome from "../domain/Outcome.ts"
import * as Usage from "../domain/Usage.ts"

type Level = "Debug" | "Info" | "Warn"

interface Line {
  readonly level: Level
  readonly message: string
}

const info = (message: string): Line => ({ level: "Info", message })
const warn = (message: string): Line => ({ level: "Warn", message })

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`

const ended = (record: Extract<JournalRecord, { _tag: "RunEnded" }>): Line => {
  const reason = Outcome.reason(record.outcome)
  const turns = `${record.turns} turn${record.turns === 1 ? "" : "s"}`
  const tokens = Usage.tokens(record.usage)
  const words = `run ${Outcome.name(record.outcome)} after ${turns}${tokens > 0 ? `, ${tokens} tokens` : ""}`
  const line = reason === null || reason === "" ? words : `${words}: ${reason}`
  return Outcome.isFailure(record.outcome) ? warn(line) : info(line)
}

/** Reasons often name the path, or one inside it, themselves. */
const about = (path: string, reason: string): string => (reason.includes(path) ? reason : `${path}: ${reason}`)

/** What a record says to people; null for projections, which say nothing new. */
export const lineOf = (record: JournalRecord): Line | null =>
  JournalRecord.$match(record, {
    RunClaimed: ({ attempt }) => info(attempt === null ? "claimed" : `claimed, attempt ${attempt}`),
    RunLaunched: () => info("agent launched"),
    TurnCompleted: ({ turn, summary }) => info(`turn ${turn} completed${summary === null ? "" : `: ${summary}`}`),
    StopOrdered: ({ reason }) => info(`stopping the run: ${reason}`),
    RunEnded: ended,
    RetryQueued: ({ kind, delayMs, reason }) => {
      const why = reason === null ? "" : `, after: ${reason}`
      return info(`${kind === "continuation" ? "continues" : "runs again"} in ${seconds(delayMs)}${why}`)
    },
    HoldPlaced: ({ hold }) => warn(Hold.render(hold)),
    HoldLifted: ({ by }) => info(`hold lifted by ${by}`),
    Released: ({ reason }) => info(`released: ${reason}`),
    WorkspaceRemoved: ({ path }) => info(`workspace removed: ${path}`),
    WorkspaceKept: ({ path, reason }) => info(`workspace kept: ${about(path, reason)}`),
    RemovalFailed: ({ path, reason }) => warn(`workspace could not be removed, will try again: ${about(path, reason)}`),
    Forgotten: () => null,
    GateClosed: ({ reason }) => warn(`nothing starts for now: ${reason}`),
    GateOpened: ({ gate }) => info(`gate open again: ${gate}`),
    TrackerFailed: ({ message, retryInMs }) =>
      warn(`the tracker failed${retryInMs === null ? "" : `, asked again in ${seconds(retryInMs)}`}: ${message}`),
    TrackerRecovered: () => info("the tracker answers again"),
    RecordUnreadable: ({ source, message }) => warn(`${source}: ${message}`),
    IssueSaved: () => null,
    IssueDropped: () => null,
    FleetSaved: () => null
  })

/** The session of a live run; null when there is none. */
export type SessionOf = (runId: RunId) => SessionId | null

const annotationsOf = (record: JournalRecord, sessionOf: SessionOf): { readonly [name: string]: string } => {
  const session = "runId" in record ? sessionOf(record.runId) : null
  return {
    ...("issueId" in record ? { issue_id: record.issueId } : {}),
    ...("identifier" in record ? { issue_identifier: record.identifier } : {}),
    ...("runId" in record ? { run_id: record.runId } : {}),
    ...(session === null ? {} : { session_id: session })
  }
}

/** Logs the record, if there is something to say. */
export const narrate = (record: JournalRecord, sessionOf: SessionOf): Effect.Effect<void> => {
  const line = lineOf(record)
  if (line === null) return Effect.void
  return Effect.annotateLogs(Effect.logWithLevel(line.level)(line.message), annotationsOf(record, sessionOf))
}
