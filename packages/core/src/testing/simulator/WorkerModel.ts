/**
 * Agents in a simulated world and the driver's side of their runs: launches, turns, questions between turns, stops.
 * Agents succeed, fail, hang, flood, hit usage limits, move their issue on; what they report comes late, twice or out
 * of order; stops go unanswered. One thing they never do: say that a run has ended while its process lives.
 */
import type { RunId } from "../../domain/Ids.ts"
import { SessionId } from "../../domain/Ids.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { Usage } from "../../domain/Usage.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Board } from "./Board.ts"
import type { Prng } from "./Prng.ts"
import * as RuntimeModel from "./RuntimeModel.ts"
import type { Stage } from "./Stage.ts"
import type { Body, Truth } from "./Truth.ts"

type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { _tag: Tag }>

export interface WorkerModel {
  readonly launch: (command: CommandOf<"LaunchRun">) => void
  readonly answer: (command: CommandOf<"AnswerTurn">) => void
  readonly stop: (command: CommandOf<"StopRun">) => void
}

interface Agent {
  readonly body: Body
  readonly maxTurns: number
  turn: number
  used: number
  launch: "pending" | "answered"
}

const usageOf = (tokens: number): Usage => ({
  inputTokens: tokens,
  outputTokens: Math.floor(tokens / 4),
  cacheReadTokens: tokens * 3,
  costUsd: tokens / 20_000
})

export const make = (stage: Stage, truth: Truth, board: Board, random: Prng): WorkerModel => {
  const odds = stage.profile.worker
  const agents = new Map<RunId, Agent>()
  const runtime = RuntimeModel.make(stage, random.split("runtime"))

  /** Hands on what an agent reports: soon, or late enough to be overtaken by what it reports next. */
  const report = (event: Event): void =>
    stage.send(event, stage.faulty(random, odds.disorder) ? random.scale(20, 5_000) : random.int(0, 5))

  const reportUsage = ({ body, used }: Agent): void =>
    report({
      _tag: "SessionUpdated",
      runId: body.runId,
      session: SessionId(`session-of-${body.identifier}`),
      usage: usageOf(used)
    })

  const over = (agent: Agent, outcome: Outcome | null): void => {
    const { body, used } = agent
    truth.end(body)
    agents.delete(body.runId)
    if (outcome !== null) report({ _tag: "RunFinished", runId: body.runId, outcome, usage: usageOf(used) })
  }

  const whileAlive = (agent: Agent, delayMs: number, act: () => void): void =>
    stage.plan(delayMs, () => {
      if (agent.body.isAlive) act()
    })

  /** The agent leaves its issue in another state, which is how its work is handed on. */
  const moveOn = ({ body }: Agent): void => {
    const state = random.pick(["Done", "Done", "Done", "Review", "Todo", "In Progress", "Backlog"])
    board.edit(body.issueId, { state })
  }

  const keepBusy = (agent: Agent, until: number): void => {
    const wait = random.wait(odds.activityMs)
    if (stage.time() + wait >= until) return
    whileAlive(agent, wait, () => {
      report({ _tag: "Activity", runId: agent.body.runId, summary: "working" })
      keepBusy(agent, until)
    })
  }

  const flood = (agent: Agent): void => {
    const count = random.int(20, 200)
    for (let index = 0; index < count; index++) {
      whileAlive(agent, index * 100, () =>
        stage.send({ _tag: "Activity", runId: agent.body.runId, summary: "chatting" })
      )
    }
  }

  const usageLimit = (): Outcome => {
    const { wallTime } = stage.at()
    const named = [null, wallTime - 60_000, wallTime + random.scale(10_000, 7_200_000)]
    const untilMs = random.chance(0.05) ? wallTime + random.scale(3_600_000, 30 * 86_400_000) : random.pick(named)
    return Outcome.UsageLimited({ untilMs, reason: "out of tokens" })
  }

  const endTurn = (agent: Agent): void => {
    const { body, maxTurns, turn } = agent
    const { runId } = body
    agent.used += random.wait(odds.tokensPerTurn)
    if (stage.faulty(random, odds.usageLimit)) return over(agent, usageLimit())
    if (stage.faulty(random, odds.unavailable)) {
      return over(agent, Outcome.Failed({ reason: "the runtime went down", unavailable: true }))
    }
    if (stage.faulty(random, odds.turnFailure)) return over(agent, Outcome.Failed({ reason: "the agent gave up" }))
    const room = truth.rooms.get(body.issueId)
    if (room !== undefined && random.chance(odds.progress)) room.version++
    reportUsage(agent)
    report({ _tag: "TurnCompleted", runId, turn, summary: null })
    if (turn >= maxTurns) return over(agent, Outcome.Succeeded({ summary: null }))
    body.askedAt = stage.time()
    stage.send({ _tag: "TurnAsked", runId, turn }, random.int(1, 20))
  }

  const beginTurn = (agent: Agent): void => {
    const { body } = agent
    agent.turn++
    report({ _tag: "TurnStarted", runId: body.runId, turn: agent.turn })
    if (runtime.isBroken()) {
      return whileAlive(agent, random.int(100, 5_000), () =>
        over(agent, Outcome.Failed({ reason: "the runtime is broken" }))
      )
    }
    if (stage.faulty(random, odds.flood)) flood(agent)
    const meanMs = stage.isCalm() ? 120_000 : odds.turnMs
    const takes = Math.min(random.wait(meanMs), 5 * meanMs)
    if (stage.faulty(random, odds.hang)) {
      keepBusy(agent, stage.time() + random.int(0, takes))
      return
    }
    keepBusy(agent, stage.time() + takes)
    if (random.chance(stage.isCalm() ? 0.7 : odds.movesOn)) {
      whileAlive(agent, Math.floor(takes * random.next()), () => moveOn(agent))
    }
    whileAlive(agent, takes, () => endTurn(agent))
  }

  const launch = ({ maxTurns, run, timeoutMs }: CommandOf<"LaunchRun">): void => {
    const { runId, issue, workspace } = run
    const body = truth.bodies.get(runId)
    if (body === undefined) return
    body.workspace = workspace
    body.isAlive = true
    body.isLaunched = true
    body.owed++
    truth.begin(body)
    const agent: Agent = { body, maxTurns, turn: 0, used: 0, launch: "pending" }
    agents.set(runId, agent)
    const failed = (reason: string, unavailable: boolean): void => {
      over(agent, null)
      stage.send({ _tag: "LaunchFailed", runId, reason, unavailable, stopped: "confirmed" }, random.int(0, 20))
    }
    const pending = (delayMs: number, act: () => void): void =>
      stage.planInProcess(delayMs, () => {
        if (agent.launch !== "pending" || !body.isAlive) return
        agent.launch = "answered"
        act()
      })
    const takes = random.wait(odds.launchMs)
    if (runtime.isDown() || stage.faulty(random, odds.unavailable)) {
      return pending(takes, () => failed("the runtime is down", true))
    }
    if (stage.faulty(random, odds.launchFailure)) return pending(takes, () => failed("no agent came up", false))
    if (takes >= timeoutMs || stage.faulty(random, odds.launchHang)) {
      return pending(timeoutMs, () => {
        const reason = "the agent did not start in time"
        const isStopped = !stage.faulty(random, odds.stopUnconfirmed)
        const after = random.int(1, stage.policy().stopTimeoutMs)
        stage.planInProcess(after, () => {
          if (isStopped) over(agent, null)
          const stopped = isStopped || !body.isAlive ? "confirmed" : "unconfirmed"
          stage.send({ _tag: "LaunchFailed", runId, reason, unavailable: false, stopped })
        })
      })
    }
    pending(takes, () => {
      const session = random.chance(0.5) ? SessionId(`session-of-${issue.identifier}`) : null
      stage.send({ _tag: "RunLaunched", runId, session }, random.int(0, 10))
      beginTurn(agent)
    })
  }

  const answer = ({ runId, verdict }: CommandOf<"AnswerTurn">): void => {
    const agent = agents.get(runId)
    if (agent === undefined || agent.body.askedAt === null) return
    agent.body.askedAt = null
    if (verdict._tag === "Continue") whileAlive(agent, random.int(1, 50), () => beginTurn(agent))
    else whileAlive(agent, random.int(1, 50), () => over(agent, Outcome.Succeeded({ summary: null })))
  }

  const stop = ({ reason, runId, timeoutMs }: CommandOf<"StopRun">): void => {
    const body = truth.bodies.get(runId)
    const agent = agents.get(runId)
    if (body !== undefined) body.owed++
    const settle = (result: "confirmed" | "unconfirmed", delayMs: number): void =>
      stage.send({ _tag: "StopSettled", runId, result }, delayMs)
    if (agent === undefined) return settle("confirmed", random.int(1, 1_000))
    // The driver gives up a launch that it stops; its answer comes only if it is in the mailbox already.
    if (agent.launch === "pending") {
      agent.launch = "answered"
      agent.body.owed--
    }
    if (stage.faulty(random, odds.stopSilent)) {
      if (random.chance(0.5)) whileAlive(agent, random.int(1, 2 * timeoutMs), () => over(agent, null))
      return
    }
    if (stage.faulty(random, odds.stopUnconfirmed)) {
      settle("unconfirmed", timeoutMs)
      if (random.chance(0.5)) {
        whileAlive(agent, random.int(1, 3 * timeoutMs), () => over(agent, Outcome.Cancelled({ reason })))
      }
      return
    }
    stage.planInProcess(Math.min(random.wait(1_000), timeoutMs), () => {
      if (!agent.body.isAlive) return settle("confirmed", random.int(1, 1_000))
      const isReported = agent.body.isLaunched && !stage.faulty(random, odds.lostFinish)
      over(agent, isReported ? Outcome.Cancelled({ reason }) : null)
      settle("confirmed", isReported ? random.int(6, 50) : 1_000)
    })
  }

  return { launch, answer, stop }
}
