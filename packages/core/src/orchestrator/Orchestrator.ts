/**
 * The live driver. One fiber takes events from the mailbox and decides; it performs no I/O, so nothing can delay a
 * stop or a reader. Another carries out what was decided ({@link Outbox}).
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberHandle from "effect/FiberHandle"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { IssueId, RunId, SessionId } from "../domain/Ids.ts"
import { RuntimeHealth } from "../ports/AgentRuntime.ts"
import { RunStore, type StampedRecord } from "../ports/RunStore.ts"
import { Command } from "../scheduler/Command.ts"
import { Event } from "../scheduler/Event.ts"
import * as Idle from "../scheduler/Idle.ts"
import * as Snapshot from "../scheduler/Snapshot.ts"
import { initial, type Instant, type State } from "../scheduler/State.ts"
import { transition } from "../scheduler/Transition.ts"
import * as Commands from "./Commands.ts"
import { type Backends, type Configuration, ConfigurationSource, ConfigurationUpdate } from "./Configuration.ts"
import * as Generations from "./Generations.ts"
import { instant } from "./Instants.ts"
import { narrate } from "./Narration.ts"
import * as Outbox from "./Outbox.ts"
import { StepObserver } from "./StepObserver.ts"
import * as Updates from "./Updates.ts"

/** Events that wait to be taken up; senders wait when it is full, and none of them is the loop. */
const mailboxCapacity = 256
/** How long the last records may take to be kept when everything has come to rest. */
const lastWordsMs = 5_000
/** Followers of the view see changes at most this often. */
const conflateMs = 50

/** The orchestrator could not start. The message says what, where, and how to mend it. */
export class StartError extends Data.TaggedError("StartError")<{ readonly message: string }> {}

export interface OrchestratorService {
  /** The whole view, made when it is read. */
  readonly snapshot: Effect.Effect<Snapshot.Snapshot>
  /** The scheduler's state and the instant at which it was read: for programs that derive views of their own. */
  readonly current: Effect.Effect<{ readonly state: State; readonly at: Instant }>
  /** Emits the present and then after changes, conflated: a slow reader sees the newest. */
  readonly changes: Stream.Stream<Snapshot.Snapshot>
  /** What is written down from now on; a reader that lags by thousands of records misses some. */
  readonly journal: Stream.Stream<StampedRecord>
  /** Asks the tracker now. */
  readonly refresh: Effect.Effect<void>
  /** Nothing starts until {@link resume}. */
  readonly pause: (reason: string) => Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  readonly hold: (issueId: IssueId, note: string) => Effect.Effect<void>
  /** Lifts any hold of the issue and grants one more allowance of every limit. */
  readonly release: (issueId: IssueId) => Effect.Effect<void>
  /** Completes when there is nothing left to do without somebody's help. */
  readonly idle: Effect.Effect<void>
  /**
   * Starts nothing any more, asks what runs to stop, and returns when all has come to rest, at the latest after
   * `agent.shutdown_timeout_ms`. What is left then ends with the orchestrator's scope.
   */
  readonly drain: Effect.Effect<void>
}

export class Orchestrator extends Context.Service<Orchestrator, OrchestratorService>()(
  "@opensymphony/core/Orchestrator"
) {}

const instanceId = Effect.gen(function* () {
  const millis = yield* Clock.currentTimeMillis
  const salt = yield* Random.nextIntBetween(0, 36 ** 4)
  return `${millis.toString(36)}${salt.toString(36).padStart(4, "0")}`
})

const isAtRest = (state: State): boolean =>
  HashMap.isEmpty(state.live) &&
  ![...state.removing].some((id) => {
    const entry = HashMap.get(state.issues, id)
    return entry._tag === "Some" && entry.value.removal?._tag === "Removing"
  })

const sessionOf = (state: State, runId: RunId): SessionId | null => {
  const id = Option.getOrUndefined(HashMap.get(state.live, runId))
  const entry = id === undefined ? undefined : Option.getOrUndefined(HashMap.get(state.issues, id))
  return entry?.run?.session ?? null
}

const make = Effect.gen(function* () {
  const source = yield* ConfigurationSource
  const store = yield* RunStore
  const observe = yield* StepObserver
  const first = yield* source.initial
  const mailbox = yield* Queue.bounded<Event>(mailboxCapacity)
  const changed = yield* PubSub.sliding<void>({ capacity: 1, replay: 1 })
  const journal = yield* PubSub.sliding<StampedRecord>(8_192)
  let state = initial({ instance: yield* instanceId, policy: first.policy })

  const send = (event: Event) => Effect.asVoid(Queue.offer(mailbox, event))
  const updates = Updates.make()

  let noteFinished: Commands.Commands["noteFinished"] = () => Effect.void
  let newest: Backends | null = null
  const attach = (backends: Backends): Effect.Effect<void, never, Scope.Scope> =>
    Effect.gen(function* () {
      // What another runtime said of itself, or still says while its last runs end, means nothing to this one.
      if (newest !== null) yield* send(Event.RuntimeUp())
      newest = backends
      yield* Effect.forkScoped(
        Stream.runForEach(backends.workers.updates, (update) =>
          Effect.gen(function* () {
            const event = yield* updates.eventOf(update)
            if (event !== null) yield* send(event)
            if (update._tag === "Finished") yield* noteFinished(update.runId)
          })
        )
      )
      yield* Effect.forkScoped(Stream.runForEach(backends.tracker.changes, () => send(Event.PollRequested())))
      yield* Effect.forkScoped(
        Stream.runForEach(backends.health, (health) => {
          if (newest !== backends) return Effect.void
          return send(
            RuntimeHealth.$match(health, {
              Up: () => Event.RuntimeUp(),
              Down: ({ reason }) => Event.RuntimeDown({ reason })
            })
          )
        })
      )
    })

  const generations = yield* Generations.make(first, attach)
  const commands = yield* Commands.make({ generations, policy: () => state.policy, send })
  noteFinished = commands.noteFinished

  const timer = yield* FiberHandle.make()
  const wakeAt = Effect.fnUntraced(function* (at: number | null) {
    if (at === null) return yield* FiberHandle.clear(timer)
    const { now } = yield* instant
    yield* FiberHandle.run(timer, send(Event.Tick()).pipe(Effect.delay(Math.max(0, Math.ceil(at - now)))))
  })
  const start = (command: Command): Effect.Effect<void> =>
    command._tag === "WakeAt" ? wakeAt(command.at) : commands.start(command)

  const outbox = yield* Outbox.make({
    store,
    start,
    tell: (stamped) =>
      Effect.andThen(
        narrate(stamped.record, (runId) => sessionOf(state, runId)),
        PubSub.publish(journal, stamped)
      )
  })

  const loop = Effect.gen(function* () {
    const event = yield* Queue.take(mailbox)
    const at = yield* instant
    const before = state
    const step = transition(before, event, at)
    state = step.state
    const { commands, records } = step
    if (observe !== null) {
      yield* Effect.ignoreCause(Effect.sync(() => observe({ event, at, before, after: step.state, records, commands })))
    }
    yield* PubSub.publish(changed, undefined)
    if (records.length === 0 && commands.length === 0) return
    yield* outbox.offer({ records: records.map((record) => ({ atWallMs: at.wallTime, record })), commands })
  })

  const report = (what: string) => Effect.ignoreCause({ log: "Error", message: `${what} failed; this is a bug` })
  yield* Effect.forkScoped(Effect.forever(loop.pipe(report("a decision"))))
  yield* Effect.forkScoped(Effect.forever(outbox.carryOut.pipe(report("carrying out a decision"))))

  const apply = Effect.fnUntraced(function* (configuration: Configuration) {
    const opened = yield* Effect.exit(generations.use(configuration))
    if (Exit.isFailure(opened)) {
      const error = Option.getOrUndefined(Cause.findErrorOption(opened.cause))
      const problem = `the changed configuration cannot be used: ${error?.message ?? Cause.pretty(opened.cause)}`
      return yield* send(Event.ConfigurationJudged({ problem, closesGate: true }))
    }
    yield* Effect.logInfo("the changed configuration is in force")
    yield* send(Event.ConfigurationJudged({ problem: null, closesGate: false }))
    yield* send(Event.PolicyChanged({ policy: configuration.policy }))
  })
  yield* Effect.forkScoped(
    Stream.runForEach(
      source.updates,
      ConfigurationUpdate.$match({
        Changed: ({ configuration }) => apply(configuration),
        Broken: ({ problem }) => send(Event.ConfigurationJudged({ problem, closesGate: false }))
      })
    )
  )

  const stored = yield* store.load
  const recovery = yield* generations.current().backends.workspaces.recoverWorkspaces
  for (const problem of recovery.problems) yield* Effect.logWarning(problem)
  for (const { interruptedRun, workspace } of recovery.workspaces) {
    if (interruptedRun === null) continue
    yield* Effect.logInfo("an earlier orchestrator left this run unfinished; nothing of it goes on").pipe(
      Effect.annotateLogs({
        issue_id: workspace.issueId,
        issue_identifier: workspace.identifier,
        run_id: interruptedRun
      })
    )
  }
  yield* send(Event.Started({ stored, workspaces: recovery.workspaces }))

  const current = Effect.map(instant, (at) => ({ state, at }))
  const snapshot = Effect.map(current, (now) => Snapshot.make(now.state, now.at))
  const ticks = Stream.fromPubSub(changed)
  const until = (condition: (now: { readonly state: State; readonly at: Instant }) => boolean) =>
    ticks.pipe(
      Stream.mapEffect(() => current),
      Stream.takeUntil(condition),
      Stream.runDrain
    )

  const askForLastPoll = until((now) => Idle.needsPoll(now.state, now.at)).pipe(
    Effect.andThen(send(Event.PollRequested())),
    Effect.andThen(until((now) => !Idle.needsPoll(now.state, now.at)))
  )

  const service: OrchestratorService = {
    snapshot,
    current,
    changes: Stream.mapEffect(ticks, (_, index) => (index === 0 ? snapshot : Effect.delay(snapshot, conflateMs))),
    journal: Stream.fromPubSub(journal),
    refresh: send(Event.PollRequested()),
    pause: (reason) => send(Event.PauseRequested({ reason })),
    resume: send(Event.ResumeRequested()),
    hold: (issueId, note) => send(Event.HoldRequested({ issueId, note })),
    release: (issueId) => send(Event.ReleaseRequested({ issueId })),
    idle: Effect.raceFirst(
      until((now) => Idle.isIdle(now.state, now.at)),
      Effect.forever(askForLastPoll)
    ),
    drain: Effect.gen(function* () {
      yield* send(Event.DrainRequested())
      const rested = until((now) => now.state.gates.draining !== null && isAtRest(now.state))
      yield* Effect.timeoutOption(rested, state.policy.shutdownTimeoutMs)
      yield* Effect.timeoutOption(outbox.settled, lastWordsMs)
    })
  }
  return service
})

/**
 * The running orchestrator. It lives as long as the layer's scope: closing it ends every run and every process.
 *
 * Fails when the configuration, the run store or the workspace root cannot be used.
 */
export const layer: Layer.Layer<Orchestrator, StartError, ConfigurationSource | RunStore> = Layer.effect(
  Orchestrator,
  Effect.mapError(make, (error) => new StartError({ message: error.message }))
)
