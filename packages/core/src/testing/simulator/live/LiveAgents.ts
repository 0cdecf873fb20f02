/**
 * The agents of a simulated world's orchestrator: a {@link MemoryRuntime} whose agents succeed, fail, hang, flood, hit
 * usage limits, move their issue on, die; whose sessions open late or never, and whose stops go unanswered. What they
 * report comes late, twice or out of order. What is really at work goes into the truth.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type RunId, SessionId } from "../../../domain/Ids.ts"
import type { Usage } from "../../../domain/Usage.ts"
import * as Usages from "../../../domain/Usage.ts"
import {
  AgentEvent,
  type AgentRuntimeService,
  type AgentSession,
  RuntimeError,
  type StopResult,
  TurnResult
} from "../../../ports/AgentRuntime.ts"
import * as MemoryRuntime from "../../MemoryRuntime.ts"
import type * as MemoryWorkspaces from "../../MemoryWorkspaces.ts"
import type { Board } from "../Board.ts"
import type { Prng } from "../Prng.ts"
import type { RuntimeModel } from "../RuntimeModel.ts"
import type { Stage } from "../Stage.ts"
import { type Body, newBody, type Truth } from "../Truth.ts"
import type { Lies } from "./Lies.ts"
import type { Reports } from "./Reports.ts"

export interface LiveAgentsOptions {
  readonly stage: Stage
  readonly truth: Truth
  readonly board: Board
  readonly random: Prng
  readonly model: RuntimeModel
  readonly workspaces: MemoryWorkspaces.MemoryWorkspaces
  readonly reports: Reports
  /** Lets a process of a run begin. */
  readonly begin: (body: Body) => void
  readonly pulse: Effect.Effect<void>
  readonly lies: Lies
}

/** The agent of one run, from the opening of its session. */
interface Agent {
  readonly body: Body
  /** Completed when its process has died. */
  readonly death: Deferred.Deferred<void>
  /** A turn is in its hands. */
  isAtWork: boolean
  /** It did not obey an order to stop and has not come to rest since: nobody can take it away. */
  isStuck: boolean
  used: Usage
}

const usageOf = (tokens: number): Usage => ({
  inputTokens: tokens,
  outputTokens: Math.floor(tokens / 4),
  cacheReadTokens: tokens * 3,
  costUsd: tokens / 20_000
})

export const make = Effect.fnUntraced(function* (options: LiveAgentsOptions) {
  const { begin, board, lies, model, pulse, random, reports, stage, truth, workspaces } = options
  const odds = stage.profile.worker
  const agents = new Map<RunId, Agent>()
  let pids = 0

  const unavailable = (message: string) => new RuntimeError({ message, unavailable: true })
  const broken = (message: string) => new RuntimeError({ message, unavailable: false })

  /** Hands on what an agent reports: at once, or late enough to be overtaken, or to come when its run is over; perhaps twice. */
  const report = ({ emit, runId }: MemoryRuntime.TurnContext, event: AgentEvent): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (!stage.faulty(random, odds.disorder)) {
        if (event._tag === "UsageReported") reports.used(runId, event.usage)
        return emit(event)
      }
      const late = Effect.delay(emit(event), random.scale(20, 5_000))
      return Effect.asVoid(Effect.forkDetach(random.chance(0.3) ? Effect.andThen(late, late) : late))
    })

  const chat = (turn: MemoryRuntime.TurnContext, forMs: number): Effect.Effect<void> =>
    Effect.gen(function* () {
      let left = forMs
      while (left > 0) {
        const wait = Math.min(left, random.wait(odds.activityMs))
        yield* Effect.sleep(wait)
        left -= wait
        if (left > 0) yield* report(turn, AgentEvent.Activity({ kind: "message", summary: "working" }))
      }
    })

  const flood = (turn: MemoryRuntime.TurnContext): Effect.Effect<void> =>
    Effect.gen(function* () {
      const pauseMs = random.pick([0, 10, 100])
      for (let left = random.int(20, 200); left > 0; left--) {
        yield* turn.activity("chatting")
        yield* Effect.sleep(pauseMs)
      }
    })

  const usageLimit = (): TurnResult => {
    const { wallTime } = stage.at()
    const named = [null, wallTime - 60_000, wallTime + random.scale(10_000, 7_200_000)]
    const untilMs = random.chance(0.05) ? wallTime + random.scale(3_600_000, 30 * 86_400_000) : random.pick(named)
    return TurnResult.UsageLimited({ untilMs: untilMs === null ? null : Math.floor(untilMs), reason: "out of tokens" })
  }

  const work = Effect.fnUntraced(function* (turn: MemoryRuntime.TurnContext, agent: Agent) {
    const { issue } = turn
    yield* turn.process(++pids)
    if (random.chance(0.5)) {
      yield* report(turn, AgentEvent.SessionReported({ session: SessionId(`session-of-${issue.identifier}`) }))
    }
    if (model.isBroken()) {
      yield* Effect.sleep(random.int(100, 5_000))
      return yield* broken("the runtime is broken")
    }
    if (stage.faulty(random, odds.flood)) yield* flood(turn)
    const meanMs = stage.isCalm() ? 120_000 : odds.turnMs
    const takes = Math.min(random.wait(meanMs), 5 * meanMs)
    const movesOn = random.chance(stage.isCalm() ? 0.7 : odds.movesOn)
    const before = movesOn ? Math.floor(takes * random.next()) : takes
    if (stage.faulty(random, odds.hang)) {
      yield* chat(turn, random.int(0, takes))
      return yield* Effect.never
    }
    yield* chat(turn, before)
    if (movesOn) {
      const state = random.pick(["Done", "Done", "Done", "Review", "Todo", "In Progress", "Backlog"])
      board.edit(issue.id, { state })
      yield* chat(turn, takes - before)
    }
    agent.used = Usages.add(agent.used, usageOf(random.wait(odds.tokensPerTurn)))
    if (stage.faulty(random, odds.usageLimit)) return usageLimit()
    if (stage.faulty(random, odds.unavailable)) return yield* unavailable("the runtime went down")
    if (stage.faulty(random, odds.turnFailure)) {
      return random.chance(0.3) ? yield* broken("the agent died") : TurnResult.Failed({ reason: "the agent gave up" })
    }
    if (random.chance(odds.progress)) yield* workspaces.touch(issue.id)
    yield* report(turn, AgentEvent.UsageReported({ source: "agent", usage: agent.used }))
    if (stage.faulty(random, odds.disorder)) {
      yield* turn.emit(AgentEvent.UsageReported({ source: "agent", usage: usageOf(1) }))
    }
    return TurnResult.Completed({ summary: null })
  })

  const play: MemoryRuntime.Agent = (turn) =>
    Effect.gen(function* () {
      yield* pulse
      const agent = agents.get(turn.runId)
      if (agent === undefined) return yield* broken("nobody opened this session")
      agent.body.askedAt = null
      agent.isAtWork = true
      reports.turnBegan(turn.runId)
      const died = Effect.gen(function* () {
        yield* Deferred.await(agent.death)
        agent.isStuck = false
        truth.end(agent.body)
        return yield* broken("the agent's process is gone")
      })
      const result = yield* Effect.raceFirst(work(turn, agent), died)
      Object.assign(agent, { isAtWork: false, isStuck: false })
      reports.turnEnded(turn.runId, result)
      if (result._tag === "Completed") agent.body.askedAt = stage.time()
      return result
    })

  const memory = yield* MemoryRuntime.make(play, { remembers: random.chance(0.5) })

  const stopOf = (agent: Agent, inner: AgentSession): Effect.Effect<StopResult> =>
    Effect.gen(function* () {
      yield* pulse
      const { stopTimeoutMs } = stage.policy()
      const diesLater = Effect.andThen(
        Effect.sleep(random.int(1, 2 * stopTimeoutMs)),
        Deferred.succeed(agent.death, undefined)
      )
      if (stage.faulty(random, odds.stopSilent)) {
        agent.isStuck = agent.isAtWork
        if (random.chance(0.5)) yield* Effect.forkDetach(diesLater)
        return yield* Effect.never
      }
      if (stage.faulty(random, odds.stopUnconfirmed)) {
        agent.isStuck = agent.isAtWork
        if (random.chance(0.5)) yield* Effect.forkDetach(diesLater)
        yield* Effect.sleep(random.int(1, stopTimeoutMs))
        return "unconfirmed"
      }
      yield* Effect.sleep(Math.min(random.wait(1_000), stopTimeoutMs - 1))
      agent.isStuck = false
      return yield* inner.stop
    })

  /** A session that does not come up; it may take its time to be given up, too. */
  const hang = Effect.suspend(() => {
    const isStuck = stage.faulty(random, odds.stopUnconfirmed)
    const { launchTimeoutMs, stopTimeoutMs } = stage.policy()
    const stuckMs = launchTimeoutMs + random.wait(4 * stopTimeoutMs)
    return isStuck ? Effect.uninterruptible(Effect.sleep(stuckMs)) : Effect.never
  })

  const comeUp = Effect.gen(function* () {
    yield* Effect.sleep(random.wait(odds.launchMs))
    if (model.isDown() || stage.faulty(random, odds.unavailable)) return yield* unavailable("the runtime is down")
    if (stage.faulty(random, odds.launchFailure)) return yield* broken("no agent came up")
    if (stage.faulty(random, odds.launchHang)) yield* hang
  })

  /** When its session is given back nothing of an agent is left; but for one that does not obey, or whose runtime lies. */
  const leave = ({ body, isStuck }: Agent): void => {
    reports.left(body.runId)
    if (isStuck || lies.stopsInWordsOnly === true) stage.plan(600_000, () => truth.end(body))
    else truth.end(body)
  }

  const openSession: AgentRuntimeService["openSession"] = (request) =>
    Effect.gen(function* (): Effect.fn.Return<AgentSession, RuntimeError, Scope.Scope> {
      yield* pulse
      const { issue, runId, workspace } = request.run
      const body = truth.bodies.get(runId) ?? newBody(runId, issue.id, issue.identifier)
      const agent: Agent = { body, death: Deferred.makeUnsafe(), isAtWork: false, isStuck: false, used: Usages.zero }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          body.workspace = workspace
          body.isLaunched = true
          agents.set(runId, agent)
          begin(body)
          if (lies.startsTwoAgents === true) truth.begin(newBody(`${runId}-twin` as RunId, issue.id, issue.identifier))
        }),
        () =>
          Effect.sync(() => {
            agents.delete(runId)
            leave(agent)
          })
      )
      yield* comeUp
      const inner = yield* memory.service.openSession(request)
      reports.opened(runId)
      return { ...inner, stop: stopOf(agent, inner) }
    })

  const service: AgentRuntimeService = { ...memory.service, openSession }
  return {
    service,
    setHealth: memory.setHealth,
    /** Somebody saw to it that the process of this run is gone. */
    bury: (runId: RunId): Effect.Effect<void> => {
      const agent = agents.get(runId)
      return agent === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(agent.death, undefined))
    }
  }
})

export type LiveAgents = Effect.Success<ReturnType<typeof make>>
