/**
 * One run from launch to outcome: it opens a session, drives the turn loop over it, and can be stopped.
 *
 * Three rules decide how it ends. A run that was launched ends with one `Finished`; one that was not ends with a
 * `LaunchError` and reports nothing. Once a stop was ordered the outcome is that stop, unless the turns had come to
 * their end before. And an order to stop that was not confirmed ends nothing: the run stays until its turn comes to
 * rest by itself or a later stop is confirmed.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { Outcome } from "../domain/Outcome.ts"
import type { AgentRuntimeService, AgentSession, RuntimeError, StopResult } from "../ports/AgentRuntime.ts"
import type { AgentToolsService } from "../ports/AgentTools.ts"
import {
  EndedBeforeLaunch,
  type LaunchError,
  LaunchFailed,
  WorkerDefect,
  type WorkerLaunch,
  type WorkerRequest,
  type WorkerUpdate
} from "../ports/WorkerBackend.ts"
import type { WorkspaceBackendService } from "../ports/WorkspaceBackend.ts"
import * as RunReport from "./RunReport.ts"
import * as TurnLoop from "./TurnLoop.ts"

export interface Environment {
  readonly runtime: AgentRuntimeService
  readonly workspaces: WorkspaceBackendService
  readonly tools: AgentToolsService
  readonly renderPrompt: TurnLoop.RenderPrompt
  /** How long a stop may take until it counts as unconfirmed, in milliseconds. */
  readonly stopTimeoutMs: number
  readonly offer: (update: WorkerUpdate) => Effect.Effect<void>
  /** Runs when the run is over, before anybody who waits for that is told. */
  readonly forget: Effect.Effect<void>
}

export interface SessionRun {
  /** Starts the run in the background; once. */
  readonly begin: Effect.Effect<void>
  /** Waits until the first turn is in the agent's hands, or it is certain that it never will be. */
  readonly launched: Effect.Effect<WorkerLaunch, LaunchError>
  /** Orders the stop and waits for its result. Orders given at the same time share one stop. */
  readonly stop: (reason: string) => Effect.Effect<StopResult>
  /** From now on the run reports nothing. */
  readonly silence: Effect.Effect<void>
  /** Ends what this process holds of the run although the agent did not confirm its stop. Reports nothing. */
  readonly abandon: Effect.Effect<unknown>
}

type WorkExit = Exit.Exit<Outcome, LaunchFailed | RuntimeError>

const describeDefect = (cause: Cause.Cause<unknown>): string => {
  const defect = Cause.squash(cause)
  return (defect instanceof Error ? `${defect.name}: ${defect.message}` : String(defect)).slice(0, 500)
}

/** A run that has not begun. */
export const makeUnsafe = (environment: Environment, request: WorkerRequest): SessionRun => {
  const { renderPrompt, runtime, workspaces } = environment
  const { attempt, issue, runId, workspace } = request
  const report = RunReport.makeUnsafe(request, workspaces, environment.offer)
  const launched = Deferred.makeUnsafe<WorkerLaunch, LaunchError>()
  /** Completed when the agent may be taken away: its stop is confirmed, or nobody waits for that any more. */
  const ceased = Deferred.makeUnsafe<void>()
  const ended = Deferred.makeUnsafe<void>()
  let agent: AgentSession | null = null
  let stopReason: string | null = null
  let stopping: Deferred.Deferred<StopResult> | null = null
  let concluded = false

  const annotated = Effect.annotateLogs({ issue_id: issue.id, issue_identifier: issue.identifier, run_id: runId })

  const launchFailed = (what: string, error: { readonly message: string }, unavailable = false) =>
    new LaunchFailed({ runId, message: `${what}: ${error.message}`, unavailable })

  const openSession = Effect.gen(function* () {
    const run = { runId, issue, attempt, workspace }
    const tools = yield* environment.tools
      .open(run)
      .pipe(Effect.mapError((error) => launchFailed(`the tools for ${issue.identifier} could not be opened`, error)))
    const session = yield* runtime.openSession({
      run,
      tools,
      resume: yield* report.recallSession,
      onProcess: (pid) =>
        Effect.catch(workspaces.recordProcess(workspace, pid), (error) =>
          Effect.logWarning(
            `process ${pid} of ${issue.identifier} was not recorded and would not be found after a crash: ${error.message}`
          )
        )
    })
    agent = session
    return session
  })

  const work = Effect.gen(function* (): Effect.fn.Return<Outcome, LaunchFailed | RuntimeError, Scope.Scope> {
    const firstPrompt = yield* Effect.mapError(renderPrompt({ issue, attempt }), (error) =>
      launchFailed(`the prompt for ${issue.identifier} could not be rendered`, error)
    )
    const session = yield* Effect.mapError(openSession, (error) =>
      error._tag === "LaunchFailed"
        ? error
        : launchFailed(`the agent for ${issue.identifier} could not be started`, error, error.unavailable)
    )
    const known = yield* session.session
    if (known !== null) yield* report.rememberSession(known)
    return yield* TurnLoop.run({
      request,
      session,
      renderPrompt,
      firstPrompt,
      onTurnStarted: (turn) =>
        Effect.andThen(Deferred.succeed(launched, { runId, session: known }), report.turnStarted(turn)),
      onTurnCompleted: report.turnCompleted,
      onEvent: report.agentEvent,
      stopReason: Effect.sync(() => stopReason)
    })
  })

  const launchError = (exit: WorkExit): LaunchError => {
    const failure = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (failure?._tag === "LaunchFailed") return failure
    if (stopReason === null && Exit.isFailure(exit) && Cause.hasDies(exit.cause)) {
      return new WorkerDefect({ runId, message: `the worker died: ${describeDefect(exit.cause)}` })
    }
    const why = stopReason === null ? "it was interrupted" : `it was stopped: ${stopReason}`
    return new EndedBeforeLaunch({ runId, message: `the run ended before the agent had its first prompt: ${why}` })
  }

  const outcomeOf = (exit: WorkExit): Outcome => {
    if (stopReason !== null) return Outcome.Cancelled({ reason: stopReason })
    if (Exit.isSuccess(exit)) return exit.value
    const failure = Option.getOrUndefined(Exit.findErrorOption(exit))
    if (failure?._tag === "RuntimeError") {
      const { message, unavailable } = failure
      return Outcome.Failed(unavailable ? { reason: message, unavailable } : { reason: message })
    }
    if (Cause.hasInterruptsOnly(exit.cause)) return Outcome.Failed({ reason: "the worker was interrupted" })
    return Outcome.Failed({ reason: `worker died: ${describeDefect(exit.cause)}` })
  }

  const life = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const takenAway = Effect.andThen(Deferred.await(ceased), Effect.interrupt)
    const exit: WorkExit = yield* Effect.exit(Effect.raceFirst(takenAway, Scope.provide(work, scope)))
    // A turn that broke says nothing about its agent. Once a stop is ordered, the answer to that decides.
    if (stopReason !== null && Exit.isFailure(exit)) yield* Deferred.await(ceased)
    concluded = true
    const outcome = outcomeOf(exit)
    const error = launchError(exit)
    yield* report.close
    yield* Scope.close(scope, exit).pipe(
      Effect.catchCause((cause) => Effect.logError(`the session of ${issue.identifier} did not close well`, cause))
    )
    if (Deferred.isDoneUnsafe(launched)) yield* report.finished(outcome)
    yield* environment.forget
    yield* Deferred.fail(launched, error)
    yield* Deferred.succeed(ended, undefined)
  }).pipe(Effect.uninterruptible, annotated)

  const cease = Effect.andThen(Deferred.succeed(ceased, undefined), Deferred.await(ended))

  const askAgent = Effect.suspend((): Effect.Effect<StopResult> => {
    if (agent === null || concluded) return Effect.succeed("confirmed")
    return Effect.catchCause(agent.stop, (cause) =>
      Effect.as(Effect.logError(`the agent of ${issue.identifier} could not be stopped`, cause), "unconfirmed")
    )
  })

  const stopAttempt = askAgent.pipe(
    Effect.flatMap((answer) => {
      if (answer === "confirmed") return Effect.as(cease, answer)
      stopping = null
      return Effect.succeed(answer)
    }),
    Effect.raceFirst(Effect.as(Deferred.await(ended), "confirmed" as const)),
    annotated
  )

  const sharedStop = Effect.suspend(() => {
    if (stopping !== null) return Effect.succeed(stopping)
    const result = Deferred.makeUnsafe<StopResult>()
    stopping = result
    return Effect.as(Effect.forkDetach(Deferred.into(stopAttempt, result)), result)
  }).pipe(Effect.uninterruptible)

  const stop = (reason: string): Effect.Effect<StopResult> =>
    Effect.suspend(() => {
      stopReason ??= reason
      return sharedStop.pipe(
        Effect.flatMap(Deferred.await),
        Effect.timeoutOption(environment.stopTimeoutMs),
        Effect.map(Option.getOrElse((): StopResult => "unconfirmed"))
      )
    })

  return {
    begin: Effect.asVoid(Effect.forkDetach(life)),
    launched: Deferred.await(launched),
    stop,
    silence: report.silence,
    abandon: Effect.andThen(report.silence, Effect.timeoutOption(cease, environment.stopTimeoutMs))
  }
}
