/**
 * A runtime in memory: an AgentRuntime whose agent is a function. The function plays one turn at a time: it sees the
 * prompt, the issue and the workspace, emits events, and answers how the turn came to rest. The handle decides how
 * sessions open and how stops are answered.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import type { RunId, SessionId } from "../domain/Ids.ts"
import type { PreparedRun } from "../domain/Run.ts"
import {
  AgentEvent,
  AgentRuntime,
  type AgentRuntimeService,
  type AgentSession,
  type OpenSession,
  type RuntimeError,
  type RuntimeHealth,
  type StopResult,
  TurnResult
} from "../ports/AgentRuntime.ts"
import * as CallLog from "./CallLog.ts"
import * as Script from "./Script.ts"

/** What an agent function gets for a turn: the run (issue, attempt, workspace) and its own means to be heard. */
export interface TurnContext extends PreparedRun {
  /** 1, 2, 3, ... within the run. */
  readonly turn: number
  readonly prompt: string
  /** The session as known when the turn began. */
  readonly session: SessionId | null
  readonly emit: (event: AgentEvent) => Effect.Effect<void>
  /** Emits a sign of life, cut to what fits a line for people. */
  readonly activity: (text: string) => Effect.Effect<void>
  /** Tells the workspace of a process. */
  readonly process: (pid: number) => Effect.Effect<void>
}

export type Agent = (turn: TurnContext) => Effect.Effect<TurnResult, RuntimeError>

/**
 * What an order to stop leads to. `confirmed` interrupts the agent's turn; `unconfirmed` and `never` leave it alone
 * (`never` does not even answer); `dies` is a bug in the adapter.
 */
export type StopBehaviour = StopResult | "never" | "dies"

export interface Options {
  /** Whether turns of one session remember each other; true unless told. Without a session nothing is remembered. */
  readonly remembers?: boolean
  /** The session that is known as soon as it is open. Unless told, the resumed one or none until the agent names it. */
  readonly session?: SessionId
}

export interface PlayedTurn {
  readonly runId: RunId
  readonly turn: number
  readonly prompt: string
  readonly session: SessionId | null
}

export interface MemoryRuntime {
  readonly service: AgentRuntimeService
  readonly layer: Layer.Layer<AgentRuntime>
  /** Rules for sessions that fail to open, hang or take long; see {@link Script}. */
  readonly script: Script.Script<"openSession", RuntimeError>
  readonly setStop: (behaviour: StopBehaviour) => Effect.Effect<void>
  /** Emits in `health`. */
  readonly setHealth: (health: RuntimeHealth) => Effect.Effect<void>
  /** The runs whose sessions are open. */
  readonly open: Effect.Effect<ReadonlyArray<RunId>>
  /** The runs whose agents are at work. */
  readonly working: Effect.Effect<ReadonlyArray<RunId>>
  readonly turns: CallLog.CallLog<PlayedTurn>
  /** Sessions that were told to stop. */
  readonly stops: CallLog.CallLog<{ readonly runId: RunId }>
}

/** Of a summary, in UTF-16 units. */
const longestSummary = 200

const oneLine = (text: string): string =>
  text
    .slice(0, longestSummary)
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()

/** A runtime whose agent is `agent`. */
export const make = Effect.fnUntraced(function* (agent: Agent, options: Options = {}): Effect.fn.Return<MemoryRuntime> {
  const open = new Set<RunId>()
  const working = new Set<RunId>()
  const turns = CallLog.makeUnsafe<PlayedTurn>()
  const stops = CallLog.makeUnsafe<{ readonly runId: RunId }>()
  const script = Script.makeUnsafe<"openSession", RuntimeError>()
  const health = yield* PubSub.sliding<RuntimeHealth>(16)
  let stopBehaviour: StopBehaviour = "confirmed"

  const sessionFor = ({
    onProcess,
    resume,
    run
  }: OpenSession): { readonly session: AgentSession; readonly endTurn: Effect.Effect<void> } => {
    let session = options.session ?? resume
    let current: { readonly stopped: Deferred.Deferred<void>; readonly ended: Deferred.Deferred<void> } | null = null

    const play: AgentSession["runTurn"] = ({ number, prompt }, onEvent) =>
      Effect.gen(function* () {
        const turn = { stopped: Deferred.makeUnsafe<void>(), ended: Deferred.makeUnsafe<void>() }
        const emit = (event: AgentEvent): Effect.Effect<void> => {
          if (event._tag === "SessionReported") session = event.session
          return onEvent(event)
        }
        yield* turns.record({ runId: run.runId, turn: number, prompt, session })
        const context: TurnContext = {
          ...run,
          turn: number,
          prompt,
          session,
          emit,
          activity: (text) => emit(AgentEvent.Activity({ kind: "message", summary: oneLine(text) })),
          process: onProcess
        }
        const stopped = Effect.as(Deferred.await(turn.stopped), TurnResult.Failed({ reason: "the agent was stopped" }))
        current = turn
        working.add(run.runId)
        return yield* Effect.raceFirst(agent(context), stopped).pipe(
          Effect.ensuring(
            Effect.suspend(() => {
              current = null
              working.delete(run.runId)
              return Deferred.succeed(turn.ended, undefined)
            })
          )
        )
      })

    const endTurn = Effect.suspend(() =>
      current === null
        ? Effect.void
        : Effect.andThen(Deferred.succeed(current.stopped, undefined), Deferred.await(current.ended))
    )

    const stop = Effect.suspend((): Effect.Effect<StopResult> => {
      switch (stopBehaviour) {
        case "confirmed":
          return Effect.as(endTurn, "confirmed")
        case "unconfirmed":
          return Effect.succeed("unconfirmed")
        case "never":
          return Effect.never
        case "dies":
          return Effect.die(new Error("this stop is scripted to die"))
      }
    })

    return {
      endTurn,
      session: {
        session: Effect.sync(() => session),
        remembers: Effect.sync(() => session !== null && options.remembers !== false),
        runTurn: play,
        stop: Effect.andThen(stops.record({ runId: run.runId }), stop)
      }
    }
  }

  const openSession: AgentRuntimeService["openSession"] = (request) => {
    const { issue, runId } = request.run
    const acquired = Effect.acquireRelease(
      Effect.sync(() => {
        open.add(runId)
        return sessionFor(request)
      }),
      ({ endTurn }) =>
        Effect.andThen(
          endTurn,
          Effect.sync(() => open.delete(runId))
        )
    )
    return Effect.andThen(
      script.play("openSession", issue.id),
      Effect.map(acquired, ({ session }) => session)
    )
  }

  const service: AgentRuntimeService = { kind: "memory", openSession, health: Stream.fromPubSub(health) }

  return {
    service,
    layer: Layer.succeed(AgentRuntime, service),
    script,
    setStop: (behaviour) =>
      Effect.sync(() => {
        stopBehaviour = behaviour
      }),
    setHealth: (next) => Effect.asVoid(PubSub.publish(health, next)),
    open: Effect.sync(() => [...open]),
    working: Effect.sync(() => [...working]),
    turns,
    stops
  }
})
