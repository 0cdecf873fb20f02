/** Ports from plain async functions: what a program writes that wants an orchestrator and no Effect. */
import * as Issue from "@opensymphony/core/domain/Issue"
import { IssueId, SessionId } from "@opensymphony/core/domain/Ids"
import * as Usage from "@opensymphony/core/domain/Usage"
import {
  AgentEvent,
  type AgentRuntimeService,
  type OpenSession,
  RuntimeError,
  type StopResult,
  TurnResult
} from "@opensymphony/core/ports/AgentRuntime"
import {
  type IssueBatch,
  type MalformedRecord,
  type TrackerBackendService,
  TrackerTransportError
} from "@opensymphony/core/ports/TrackerBackend"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

/** An issue as a program knows it: four fields are needed, everything else may be left out. */
export type PlainIssue = Omit<Partial<Issue.Issue>, "id" | "identifier" | "title" | "state"> & {
  readonly id: string
  readonly identifier: string
  readonly title: string
  readonly state: string
}

export interface PlainTracker {
  /** All issues in an active state. */
  readonly candidateIssues: () => Promise<ReadonlyArray<PlainIssue>> | ReadonlyArray<PlainIssue>
  /** These issues in any state; one that does not exist any more is left out. */
  readonly issuesByIds: (ids: ReadonlyArray<string>) => Promise<ReadonlyArray<PlainIssue>> | ReadonlyArray<PlainIssue>
}

export interface PlainTurn {
  /** 1, 2, 3, ... within the run. */
  readonly number: number
  readonly prompt: string
  readonly issue: Issue.Issue
  /** Null on the first run of an issue, then 1, 2, 3, ... */
  readonly attempt: number | null
  /** Absolute path of the issue's own directory. */
  readonly workspacePath: string
  /** What an earlier turn reported, also in an earlier run; null when nothing was. */
  readonly session: string | null
  /** Aborted when the run must stop. The stop counts as confirmed once the turn's promise has settled. */
  readonly signal: AbortSignal
  /** A sign of life, shown to operators; resets the silence limit. */
  readonly activity: (summary: string) => void
  /** Usage of this turn so far. */
  readonly usage: (usage: Partial<Usage.Usage>) => void
  /** Names the session: later turns get a short prompt and this name. */
  readonly reportSession: (session: string) => void
}

/** How a turn ended. A rejected promise fails the turn with the error's message. */
export type PlainResult = void | { readonly summary: string } | { readonly usageLimitedUntil: Date | null }

export interface PlainRuntime {
  readonly runTurn: (turn: PlainTurn) => Promise<PlainResult>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const required = ["id", "identifier", "title", "state"] as const

const malformed = (record: Partial<PlainIssue>, missing: string): MalformedRecord => ({
  source: String(record.identifier ?? record.id ?? "an issue without a name"),
  id: typeof record.id === "string" ? IssueId(record.id) : null,
  identifier: typeof record.identifier === "string" ? record.identifier : null,
  message: `${missing} is missing or no text; give every issue an id, an identifier, a title and a state`
})

const batchOf = (records: ReadonlyArray<PlainIssue>): IssueBatch => {
  const issues: Array<Issue.Issue> = []
  const bad: Array<MalformedRecord> = []
  for (const record of records) {
    const missing = required.find((field) => typeof record[field] !== "string" || record[field] === "")
    if (missing === undefined) issues.push(Issue.make({ ...record, id: IssueId(record.id) }))
    else bad.push(malformed(record, missing))
  }
  return { issues, malformed: bad }
}

const ask = (read: () => Promise<ReadonlyArray<PlainIssue>> | ReadonlyArray<PlainIssue>) =>
  Effect.tryPromise({
    try: async () => batchOf(await read()),
    catch: (error) => new TrackerTransportError({ message: `the tracker failed: ${messageOf(error)}` })
  })

export const trackerOf = (plain: PlainTracker): TrackerBackendService => ({
  candidateIssues: ask(plain.candidateIssues),
  terminalIssues: Effect.succeed({ issues: [], malformed: [] }),
  issuesByIds: (ids) => ask(() => plain.issuesByIds(ids)),
  changes: Stream.empty
})

const resultOf = (result: PlainResult): TurnResult => {
  if (result === undefined) return TurnResult.Completed({ summary: null })
  if ("summary" in result) return TurnResult.Completed({ summary: result.summary })
  const until = result.usageLimitedUntil
  return TurnResult.UsageLimited({ untilMs: until?.getTime() ?? null, reason: "the agent reported a usage limit" })
}

/** Reports that wait to be taken up; a turn that reports faster loses the oldest signs of life. */
const reportsKept = 256

const openSession = Effect.fnUntraced(function* (plain: PlainRuntime, { resume, run }: OpenSession) {
  let session: SessionId | null = resume
  let stopTurn: Effect.Effect<StopResult> = Effect.succeed("confirmed")
  const listeners = yield* FiberSet.make()

  const runTurn = (
    turn: { readonly number: number; readonly prompt: string },
    onEvent: (event: AgentEvent) => Effect.Effect<void>
  ) =>
    Effect.gen(function* () {
      const reports = yield* Queue.sliding<AgentEvent>(reportsKept)
      const settled = yield* Deferred.make<void>()
      const controller = new AbortController()
      stopTurn = Effect.suspend(() => {
        controller.abort()
        return Effect.as(Deferred.await(settled), "confirmed" as const)
      })
      const report = (event: AgentEvent): void => {
        Queue.offerUnsafe(reports, event)
      }
      yield* FiberSet.run(listeners, Effect.forever(Effect.flatMap(Queue.take(reports), onEvent)))
      const promise = Promise.resolve().then(() =>
        plain.runTurn({
          ...turn,
          issue: run.issue,
          attempt: run.attempt,
          workspacePath: run.workspace.path,
          session,
          signal: controller.signal,
          activity: (summary) => report(AgentEvent.Activity({ kind: "activity", summary: summary.slice(0, 500) })),
          usage: (usage) =>
            report(AgentEvent.UsageReported({ source: `turn-${turn.number}`, usage: { ...Usage.zero, ...usage } })),
          reportSession: (name) => {
            session = SessionId(name)
            report(AgentEvent.SessionReported({ session }))
          }
        })
      )
      const ended = promise.then(resultOf, (error: unknown) => TurnResult.Failed({ reason: messageOf(error) }))
      const result = yield* Effect.promise(() => ended).pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => controller.abort()).pipe(Effect.andThen(Effect.promise(() => ended)))
        ),
        Effect.ensuring(Deferred.succeed(settled, undefined))
      )
      for (const event of yield* Queue.clear(reports)) yield* onEvent(event)
      yield* FiberSet.clear(listeners)
      return result
    })

  return {
    session: Effect.sync(() => session),
    remembers: Effect.sync(() => session !== null),
    runTurn,
    stop: Effect.suspend(() => stopTurn)
  }
})

export const runtimeOf = (plain: PlainRuntime): AgentRuntimeService => ({
  kind: "embedded",
  openSession: (request) =>
    Effect.mapError(
      openSession(plain, request),
      (error) => new RuntimeError({ message: messageOf(error), unavailable: false })
    ),
  health: Stream.empty
})
