/**
 * Carries out commands through the ports, each in a fiber of its own and within its own time limit. What becomes of a
 * command, be it a defect, comes back as one event; nothing here can end the loop or delay another issue.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { RunId } from "../domain/Ids.ts"
import type { Policy } from "../domain/Policy.ts"
import type { IssueBatch, TrackerBackendService, TrackerError } from "../ports/TrackerBackend.ts"
import { type LaunchError, TurnVerdict } from "../ports/WorkerBackend.ts"
import { Command } from "../scheduler/Command.ts"
import { Event, type TrackerProblem } from "../scheduler/Event.ts"
import type { Generations } from "./Generations.ts"
import { instant } from "./Instants.ts"

const readTimeoutMs = 60_000
const pollTimeoutMs = 300_000
const removalsAtOnce = 8
/** How long the report of a stopped run may still be on its way once the stop is confirmed. */
const lastReportMs = 1_000

type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { _tag: Tag }>

export interface Commands {
  /** Starts a command and returns at once. `WakeAt` is the driver's own. */
  readonly start: (command: Exclude<Command, { _tag: "WakeAt" }>) => Effect.Effect<void>
  /** To be told when the end of a run was reported. */
  readonly noteFinished: (runId: RunId) => Effect.Effect<void>
}

export interface CommandsOptions {
  readonly generations: Generations
  readonly policy: () => Policy
  readonly send: (event: Event) => Effect.Effect<void>
}

/** One line about what went wrong: the error's own message, or what a defect says of itself. */
const describe = (cause: Cause.Cause<{ readonly message: string }>): string => {
  const error = Cause.findErrorOption(cause)
  if (Option.isSome(error)) return error.value.message
  return `unexpected: ${Cause.prettyErrors(cause)[0]?.message ?? "interrupted"}`
}

const problemOf = (cause: Cause.Cause<TrackerError>): TrackerProblem => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error === undefined) {
    return { tag: "TrackerDefect", message: describe(cause), retryable: true, retryAtWallMs: null }
  }
  const retryAtWallMs = error._tag === "TrackerRateLimited" ? error.retryAtMs : null
  return { tag: error._tag, message: error.message, retryable: error.retryable, retryAtWallMs }
}

const tooSlow = (what: string, ms: number): TrackerProblem => ({
  tag: "TrackerTimeout",
  message: `${what} took longer than ${ms / 1000} s`,
  retryable: true,
  retryAtWallMs: null
})

/** Calls an adapter: also what it throws before it gives an effect is a defect of that effect. */
const attempt: typeof Effect.suspend = Effect.suspend

const launchProblem = (cause: Cause.Cause<LaunchError>) => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  const unavailable = error?._tag === "LaunchFailed" && error.unavailable
  return { reason: describe(cause), unavailable }
}

export const make = Effect.fnUntraced(function* (
  options: CommandsOptions
): Effect.fn.Return<Commands, never, Scope.Scope> {
  const { generations, policy, send } = options
  const scope = yield* Effect.scope
  const preparations = yield* FiberMap.make<RunId>()
  const launches = yield* FiberMap.make<RunId>()
  const removals = yield* Semaphore.make(removalsAtOnce)
  const questions = new Map<RunId, Deferred.Deferred<TurnVerdict>>()
  const endings = new Map<RunId, Deferred.Deferred<void>>()

  const background = (effect: Effect.Effect<void>) => Effect.asVoid(Effect.forkIn(effect, scope))

  /**
   * Asks the tracker in use. An answer that comes when another has taken its place says nothing about the board in use,
   * and is asked for anew.
   */
  const ask = Effect.fnUntraced(function* (
    question: (tracker: TrackerBackendService) => Effect.Effect<IssueBatch, TrackerError>,
    timeoutMs: number
  ) {
    while (true) {
      const asked = generations.current()
      const { now: startedAt, wallTime: startedAtWall } = yield* instant
      const exit = yield* attempt(() => question(asked.backends.tracker)).pipe(
        Effect.timeoutOption(timeoutMs),
        Effect.exit
      )
      if (generations.current() === asked) return { exit, startedAt, startedAtWall }
    }
  })

  const poll = Effect.gen(function* () {
    const { exit, startedAt, startedAtWall } = yield* ask(({ candidateIssues }) => candidateIssues, pollTimeoutMs)
    if (Exit.isFailure(exit)) return yield* send(Event.CandidatesFailed({ problem: problemOf(exit.cause) }))
    const batch = Option.getOrUndefined(exit.value)
    yield* send(
      batch === undefined
        ? Event.CandidatesFailed({ problem: tooSlow("the poll", pollTimeoutMs) })
        : Event.CandidatesPolled({ batch, startedAt, startedAtWall })
    )
  })

  const read = Effect.fnUntraced(function* ({ ids, lane }: CommandOf<"ReadIssues">) {
    const { exit, startedAt } = yield* ask(({ issuesByIds }) => issuesByIds(ids), readTimeoutMs)
    if (Exit.isFailure(exit)) return yield* send(Event.IssuesReadFailed({ lane, ids, problem: problemOf(exit.cause) }))
    const batch = Option.getOrUndefined(exit.value)
    yield* send(
      batch === undefined
        ? Event.IssuesReadFailed({ lane, ids, problem: tooSlow("reading issues", readTimeoutMs) })
        : Event.IssuesRead({ lane, ids, batch, startedAt })
    )
  })

  const prepare = Effect.fnUntraced(function* ({ run }: CommandOf<"PrepareWorkspace">) {
    const { workspaces } = generations.of(run.runId).backends
    const { workspaceTimeoutMs } = policy()
    let workspace: Parameters<typeof Event.PreparationFailed>[0]["workspace"] = null
    const work = Effect.gen(function* () {
      workspace = yield* workspaces.ensureWorkspace(run.issue)
      yield* workspaces.startRun({ ...run, workspace })
      const fingerprint = yield* Effect.option(workspaces.fingerprint(workspace))
      return Event.WorkspacePrepared({ runId: run.runId, workspace, fingerprint: Option.getOrNull(fingerprint) })
    })
    const failed = (reason: string) =>
      Event.PreparationFailed({ runId: run.runId, workspace, reason, cancelled: false })
    const exit = yield* work.pipe(Effect.timeoutOption(workspaceTimeoutMs), Effect.exit)
    if (Exit.isFailure(exit) || Option.isNone(exit.value)) yield* generations.unbind(run.runId)
    if (Exit.isFailure(exit)) return yield* send(failed(`the workspace could not be prepared: ${describe(exit.cause)}`))
    yield* send(
      Option.getOrElse(exit.value, () =>
        failed(`preparing the workspace took longer than ${workspaceTimeoutMs / 1000} s`)
      )
    )
  })

  const cancelPreparation = Effect.fnUntraced(function* ({ runId }: CommandOf<"CancelPreparation">) {
    // A preparation that had ended just before has said so, and what follows needs the adapters of its run.
    const wasUnderWay = yield* FiberMap.has(preparations, runId)
    const ended = yield* FiberMap.remove(preparations, runId).pipe(Effect.timeoutOption(policy().workspaceTimeoutMs))
    if (Option.isNone(ended)) return
    if (wasUnderWay) yield* generations.unbind(runId)
    yield* send(Event.PreparationFailed({ runId, workspace: null, reason: "cancelled", cancelled: true }))
  })

  const askOrchestrator = (runId: RunId) => (turn: number) =>
    Effect.gen(function* () {
      const question = yield* Deferred.make<TurnVerdict>()
      questions.set(runId, question)
      yield* send(Event.TurnAsked({ runId, turn }))
      return yield* Deferred.await(question)
    }).pipe(Effect.ensuring(Effect.sync(() => questions.delete(runId))))

  const abort = (runId: RunId, reason: string, timeoutMs: number) =>
    attempt(() => generations.of(runId).backends.workers.abortWorker(runId, reason)).pipe(
      Effect.timeoutOption(timeoutMs),
      Effect.exit,
      Effect.map((exit) =>
        Exit.isSuccess(exit) ? Option.getOrElse(exit.value, () => "unconfirmed" as const) : "unconfirmed"
      )
    )

  const launch = Effect.fnUntraced(function* ({ run, maxTurns, timeoutMs }: CommandOf<"LaunchRun">) {
    const { runId } = run
    endings.set(runId, yield* Deferred.make<void>())
    const { workers } = generations.of(runId).backends
    const request = { ...run, maxTurns, betweenTurns: askOrchestrator(runId) }
    const exit = yield* attempt(() => workers.startWorker(request)).pipe(Effect.timeoutOption(timeoutMs), Effect.exit)
    if (Exit.isFailure(exit)) {
      return yield* send(Event.LaunchFailed({ runId, ...launchProblem(exit.cause), stopped: "confirmed" }))
    }
    const launched = Option.getOrUndefined(exit.value)
    if (launched !== undefined) return yield* send(Event.RunLaunched({ runId, session: launched.session }))
    const reason = `the agent did not start within ${timeoutMs / 1000} s (agent.launch_timeout_ms)`
    const stopped = yield* abort(runId, reason, policy().stopTimeoutMs)
    yield* send(Event.LaunchFailed({ runId, reason, unavailable: false, stopped }))
  })

  const answer = ({ runId, verdict }: CommandOf<"AnswerTurn">) => {
    const question = questions.get(runId)
    return question === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(question, verdict))
  }

  const stop = Effect.fnUntraced(function* ({ runId, reason, timeoutMs }: CommandOf<"StopRun">) {
    const wasLaunching = yield* FiberMap.has(launches, runId)
    yield* FiberMap.remove(launches, runId).pipe(Effect.timeoutOption(timeoutMs))
    const result = yield* abort(runId, reason, timeoutMs)
    const ending = endings.get(runId)
    if (result === "confirmed" && ending !== undefined && !wasLaunching) {
      yield* Deferred.await(ending).pipe(Effect.timeoutOption(lastReportMs))
    }
    yield* send(Event.StopSettled({ runId, result }))
  })

  const finish = Effect.fnUntraced(function* ({ run, outcome }: CommandOf<"FinishRun">) {
    const { runId } = run
    const { workspaces } = generations.of(runId).backends
    const bounded = Effect.timeoutOption(policy().workspaceTimeoutMs)
    const fingerprint = yield* attempt(() => workspaces.fingerprint(run.workspace)).pipe(bounded, Effect.exit)
    const closed = yield* attempt(() => workspaces.finishRun(run, outcome)).pipe(bounded, Effect.exit)
    if (Exit.isFailure(closed)) {
      yield* Effect.logWarning(`closing the workspace failed: ${describe(closed.cause)}`).pipe(
        Effect.annotateLogs({ issue_id: run.issue.id, issue_identifier: run.issue.identifier, run_id: runId })
      )
    }
    endings.delete(runId)
    yield* generations.unbind(runId)
    const known = Exit.isSuccess(fingerprint) ? Option.getOrNull(fingerprint.value) : null
    yield* send(Event.RunClosed({ runId, fingerprint: known }))
  })

  const remove = Effect.fnUntraced(function* ({ issue, workspace }: CommandOf<"RemoveWorkspace">) {
    const issueId = issue.id
    const { workspaces } = generations.current().backends
    const { workspaceTimeoutMs } = policy()
    const exit = yield* attempt(() => workspaces.cleanupWorkspace(workspace, issue)).pipe(
      Effect.timeoutOption(workspaceTimeoutMs),
      Effect.exit
    )
    if (Exit.isFailure(exit)) return yield* send(Event.RemovalFailed({ issueId, reason: describe(exit.cause) }))
    const cleanup = Option.getOrUndefined(exit.value)
    const reason = `removing the workspace took longer than ${workspaceTimeoutMs / 1000} s`
    if (cleanup === undefined) return yield* send(Event.RemovalFailed({ issueId, reason }))
    yield* send(
      cleanup._tag === "Removed"
        ? Event.WorkspaceRemoved({ issueId })
        : Event.WorkspaceKept({ issueId, reason: cleanup.reason })
    )
  })

  return {
    start: (command) =>
      Command.$match(command as Command, {
        PollCandidates: () => background(poll),
        ReadIssues: (value) => background(read(value)),
        PrepareWorkspace: (value) =>
          generations
            .bind(value.run.runId)
            .pipe(Effect.andThen(FiberMap.run(preparations, value.run.runId, prepare(value))), Effect.asVoid),
        CancelPreparation: (value) => background(cancelPreparation(value)),
        LaunchRun: (value) => Effect.asVoid(FiberMap.run(launches, value.run.runId, launch(value))),
        AnswerTurn: answer,
        StopRun: (value) => background(stop(value)),
        FinishRun: (value) => background(finish(value)),
        RemoveWorkspace: (value) => background(removals.withPermits(1)(remove(value))),
        WakeAt: () => Effect.void
      }),
    noteFinished: (runId) => {
      const ending = endings.get(runId)
      return ending === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(ending, undefined))
    }
  }
})
