// The real orchestrator, tracker, tools, sessions and workspaces on a fake Linear in one process, with agents that are
// functions; and the course of one such world: people and weather, then calm, then rest.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import * as Governors from "@opensymphony/adapters-linear/api/Governors"
import * as LinearApi from "@opensymphony/adapters-linear/LinearApi"
import * as LinearTracker from "@opensymphony/adapters-linear/LinearTracker"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import * as LinearTools from "@opensymphony/adapters-linear/tools/LinearTools"
import * as Policy from "@opensymphony/core/domain/Policy"
import * as Configuration from "@opensymphony/core/orchestrator/Configuration"
import * as MemoryRunStore from "@opensymphony/core/orchestrator/MemoryRunStore"
import * as Orchestrator from "@opensymphony/core/orchestrator/Orchestrator"
import { StepObserver } from "@opensymphony/core/orchestrator/StepObserver"
import { RunStore } from "@opensymphony/core/ports/RunStore"
import type * as Snapshot from "@opensymphony/core/scheduler/Snapshot"
import * as SessionWorkers from "@opensymphony/core/session/SessionWorkers"
import * as Prng from "@opensymphony/core/testing/simulator/Prng"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import { createServer } from "node:http"
import * as Board from "./Board.ts"
import * as FastClock from "./FastClock.ts"
import * as Fitness from "./Fitness.ts"
import * as Ledger from "./Ledger.ts"
import * as People from "./People.ts"
import * as ToolAgents from "./ToolAgents.ts"
import * as Weather from "./Weather.ts"
import * as Witness from "./Witness.ts"

export const slots = 10
const pollIntervalMs = 30_000
/** What the tracker stretches polls to when the budget is short. */
const longestPollIntervalMs = pollIntervalMs + 240_000
const handoffGraceMs = 20_000
/** Requests, hooks and fibers take their time, which is short on the machine and long on a fast clock. */
const slackMs = 30_000
/** From the end of all trouble to the end of all work. */
const longestCalmMs = 3_600_000

export interface WorldOptions {
  readonly seed: number
  readonly speed: number
  readonly deeds: number
  /** Where the workspaces are. */
  readonly root: string
}

/** All that is left to look at when a world has come to its end. */
export interface Ended {
  readonly linear: Pick<FakeLinear.FakeLinear, "apiKey" | "unimplemented" | "requests" | "counters">
  readonly board: ReadonlyArray<Fitness.IssueView>
  /** Bodies of comments, by id of the issue. */
  readonly comments: ReadonlyMap<string, ReadonlyArray<string>>
  readonly turns: ReadonlyMap<string, number>
  /** Slug id of the workflow's. */
  readonly project: string
  readonly people: People.People
  readonly weather: Weather.Weather
  readonly witness: Witness.Witness
  readonly agents: ToolAgents.ToolAgents
  readonly lines: ReadonlyArray<Ledger.Line>
  readonly snapshot: Snapshot.Snapshot
  /** Whether everything came to rest in time. */
  readonly rested: boolean
  readonly log: ReadonlyArray<string>
  readonly virtualMs: number
}

const policy: Policy.Policy = {
  ...Policy.defaults,
  activeStates: Fitness.activeStates.map((state) => state.toLowerCase()),
  terminalStates: ["done", "canceled", "duplicate"],
  requiredLabels: [Fitness.requiredLabel],
  pollIntervalMs,
  handoffGraceMs,
  maxConcurrentAgents: slots,
  maxTurns: 2
}

const loopback = NodeHttpServer.layer(() => createServer(), {
  host: "127.0.0.1",
  port: 0,
  gracefulShutdownTimeout: 100
})

const backends = (linear: FakeLinear.FakeLinear, agents: ToolAgents.ToolAgents, root: string) => {
  const tracker = LinearTracker.layerNoDeps({
    projectSlug: linear.projectUrl,
    activeStates: Fitness.activeStates,
    terminalStates: ["Done", "Canceled", "Duplicate"],
    assignee: null
  })
  const tools = LinearTools.layer({
    bridge: { command: "opensymphony", args: ["linear-mcp"] },
    workpadMarkers: [],
    rawQueries: false
  }).pipe(Layer.provide([loopback, FetchHttpClient.layer]))
  const workers = SessionWorkers.layer({
    renderPrompt: ({ issue }) => Effect.succeed(`Work on ${issue.identifier}: ${issue.title}`)
  }).pipe(Layer.provide([tools, agents.layer]))
  const workspaces = FilesystemWorkspaces.layer({
    root,
    remove: "clean",
    hooks: { afterCreate: null, beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 60_000 },
    hookEnvironment: {},
    workflowPath: `${root}/WORKFLOW.md`
  }).pipe(Layer.provide(NodeProcessProbe.layer))
  return workers.pipe(
    Layer.provideMerge(Layer.merge(tracker, workspaces)),
    Layer.provide(LinearApi.layer({ endpoint: linear.url, apiKey: Redacted.make(linear.apiKey) })),
    Layer.provide(NodeServices.layer)
  )
}

const keptLog = (lines: Array<string>) =>
  Logger.layer([
    Logger.make<unknown, void>(({ cause, fiber, logLevel, message }) => {
      const annotations = JSON.stringify(fiber.getRef(References.CurrentLogAnnotations))
      lines.push(`${logLevel} ${JSON.stringify(message)} ${annotations} ${JSON.stringify(cause)}`)
    })
  ])

const commentsByIssue = (linear: FakeLinear.FakeLinear) => {
  const found = new Map<string, Array<string>>()
  for (const { body, issueId } of linear.entities("Comment")) found.set(issueId, [...(found.get(issueId) ?? []), body])
  return found
}

const course = Effect.fnUntraced(function* ({ deeds, root, seed }: WorldOptions, time: FastClock.FastClock) {
  const random = Prng.make(seed)
  const linear = yield* FakeLinear.make({ teams: Board.teams, now: time.now })
  const elsewhere = linear.createProject({ name: "Elsewhere" }).slugId
  const turns = Board.fill(linear)
  const witness = Witness.make({
    linear,
    now: time.now,
    slots,
    startSlackMs: pollIntervalMs + slackMs,
    stopSlackMs: handoffGraceMs + slackMs,
    idleSlackMs: longestPollIntervalMs + 2 * slackMs
  })
  time.watch(witness.look)
  const ledger = Ledger.make(linear)
  const agents = yield* ToolAgents.make({ witness, turns, random: random.split("agents") })
  const layer = Orchestrator.layer.pipe(
    Layer.provide(Configuration.layer(policy)),
    Layer.provide(Layer.succeed(RunStore, MemoryRunStore.make())),
    Layer.provide(backends(linear, agents, root)),
    Layer.provide(Layer.succeed(Governors.Governors, Governors.make())),
    Layer.provide(
      Layer.succeed(StepObserver, (step) => {
        witness.observe(step)
        ledger.observe(step)
      })
    )
  )
  const beganAtMs = time.now()
  const orchestrator = Context.get(yield* Layer.build(layer), Orchestrator.Orchestrator)
  const people = People.make({
    linear,
    random: random.split("people"),
    long: new Set([...turns].flatMap(([id, count]) => (count > policy.maxTurns ? [id] : []))),
    worked: () => witness.live().map(({ issue }) => issue.id),
    elsewhere
  })
  const weather = Weather.make(linear, () => witness.live().length)
  yield* Effect.all([people.play(deeds), weather.play], { concurrency: 2 })
  yield* people.settle
  yield* weather.clear
  const rest = yield* Effect.timeoutOption(orchestrator.idle, longestCalmMs)
  return {
    linear: {
      apiKey: linear.apiKey,
      unimplemented: linear.unimplemented,
      requests: linear.requests,
      counters: linear.counters
    },
    board: linear.issues(),
    comments: commentsByIssue(linear),
    turns,
    project: linear.project.slugId,
    people,
    weather,
    witness,
    agents,
    lines: ledger.lines(agents.calls),
    snapshot: yield* orchestrator.snapshot,
    rested: rest._tag === "Some",
    virtualMs: time.now() - beganAtMs
  }
})

/** Lets a world run its course. */
export const run = (options: WorldOptions): Effect.Effect<Ended, unknown> =>
  Effect.gen(function* () {
    const log: Array<string> = []
    const time = yield* FastClock.make(options)
    const ended = yield* course(options, time).pipe(
      Effect.provide(keptLog(log)),
      Effect.provideService(References.MinimumLogLevel, "Debug"),
      Effect.provideService(Clock.Clock, time.clock)
    )
    return { ...ended, log }
  }).pipe(Effect.scoped)
