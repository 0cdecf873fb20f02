/** The in-memory workers, and session workers over the in-memory runtime, as subjects of their conformance suite. */
import { Context, Deferred, Effect, Exit, Layer, Scope } from "effect"
import type { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Usage from "../../src/domain/Usage.ts"
import type { AgentRuntimeService } from "../../src/ports/AgentRuntime.ts"
import { AgentRuntime } from "../../src/ports/AgentRuntime.ts"
import { LaunchFailed, WorkerBackend, type WorkerRequest } from "../../src/ports/WorkerBackend.ts"
import * as SessionWorkers from "../../src/session/SessionWorkers.ts"
import type { WorkerPlan, WorkerSubject } from "../../src/testing/conformance/WorkerSuite.ts"
import * as MemoryRuntime from "../../src/testing/MemoryRuntime.ts"
import * as MemoryWorkers from "../../src/testing/MemoryWorkers.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"
import * as PlayedAgent from "./PlayedAgent.ts"
import { numberedRun } from "./Runtimes.ts"

interface Planned {
  readonly plan: WorkerPlan
  readonly released: Deferred.Deferred<void>
}

/** What the cases planned, by run. */
const makePlans = () => {
  const plans = new Map<RunId, Planned>()
  return {
    prepare: (plan: WorkerPlan) =>
      Effect.sync(() => {
        const run = numberedRun(plans.size + 1)
        plans.set(run.runId, { plan, released: Deferred.makeUnsafe() })
        return run
      }),
    of: (runId: RunId): Planned => {
      const planned = plans.get(runId)
      if (planned === undefined) throw new Error(`nothing is planned for ${runId}`)
      return planned
    }
  }
}

/** Session workers over a runtime in memory. */
export const memorySessionWorkers: WorkerSubject = {
  closes: true,
  make: Effect.gen(function* () {
    const plans = makePlans()
    const runtime = yield* MemoryRuntime.make((turn) => {
      const { plan, released } = plans.of(turn.runId)
      return PlayedAgent.play(plan.agent, turn, Deferred.await(released))
    })
    const openSession: AgentRuntimeService["openSession"] = (request) =>
      Effect.map(runtime.service.openSession(request), (session) =>
        plans.of(request.run.runId).plan.stop === "confirmed"
          ? session
          : { ...session, stop: Effect.succeed("unconfirmed" as const) }
      )
    const workspaces = yield* MemoryWorkspaces.make()
    const layer = SessionWorkers.layer({
      stopTimeoutMs: 500,
      renderPrompt: ({ issue }) => {
        const { plan } = plans.of(numberedRun(Number(issue.id)).runId)
        if (plan.launch === "hangs") return Effect.never
        return plan.launch === "fails" ? Effect.fail({ message: "no such variable" }) : Effect.succeed("Do it.")
      }
    }).pipe(Layer.provide([Layer.succeed(AgentRuntime, { ...runtime.service, openSession }), workspaces.layer]))
    const scope = yield* Scope.fork(yield* Effect.scope)
    const workers = Context.get(yield* Layer.buildWithScope(layer, scope), WorkerBackend)
    return {
      workers,
      prepare: (plan) => Effect.tap(plans.prepare(plan), ({ issue }) => workspaces.service.ensureWorkspace(issue)),
      working: (runId) => Effect.map(runtime.working, (working) => working.includes(runId)),
      release: (runId) => Deferred.succeed(plans.of(runId).released, undefined),
      close: Scope.close(scope, Exit.void)
    }
  })
}

/** Plays a whole run on workers whose agents are played by hand. */
const playRun = Effect.fnUntraced(function* (
  workers: MemoryWorkers.MemoryWorkers,
  { maxTurns, runId }: WorkerRequest,
  { plan: { agent }, released }: Planned
) {
  let used = Usage.zero
  for (let turn = 1; turn <= maxTurns; turn++) {
    yield* Effect.forEach(agent.says, (summary) => workers.activity(runId, summary))
    used = Usage.add(used, agent.uses ?? Usage.zero)
    if (agent.session !== null || agent.uses !== null) yield* workers.sessionUpdated(runId, agent.session, used)
    const { ending } = agent
    if (ending._tag === "Fails") return yield* workers.finish(runId, Outcome.Failed({ reason: "the agent gave up" }))
    if (ending._tag === "UsageLimited") {
      return yield* workers.finish(runId, Outcome.UsageLimited({ untilMs: ending.untilMs, reason: "no more today" }))
    }
    if (ending._tag === "Hangs") yield* Deferred.await(released)
    const verdict = yield* workers.turnCompleted(runId)
    if (verdict._tag === "Stop") break
  }
  yield* workers.finish(runId, Outcome.Succeeded({ summary: null }))
})

export const memoryWorkers: WorkerSubject = {
  closes: false,
  make: Effect.gen(function* () {
    const plans = makePlans()
    const workers = yield* MemoryWorkers.make()
    const scope = yield* Effect.scope
    return {
      workers: {
        ...workers.service,
        startWorker: (request) =>
          Effect.tap(workers.service.startWorker(request), () =>
            Effect.forkIn(playRun(workers, request, plans.of(request.runId)), scope)
          )
      },
      prepare: (plan) =>
        Effect.tap(plans.prepare(plan), ({ issue, runId }) => {
          const error = new LaunchFailed({ runId, message: "the agent cannot be started", unavailable: false })
          const rule = { operation: "startWorker", issueId: issue.id } as const
          return Effect.all([
            plan.stop === "unconfirmed" ? workers.setStop("unconfirmed") : Effect.void,
            plan.launch === "fails" ? workers.script.add({ ...rule, behaviour: { _tag: "Fail", error } }) : Effect.void,
            plan.launch === "hangs" ? workers.script.add({ ...rule, behaviour: { _tag: "Hang" } }) : Effect.void
          ])
        }),
      working: (runId) => Effect.map(workers.live, (live) => live.some((run) => run.runId === runId)),
      release: (runId) => Deferred.succeed(plans.of(runId).released, undefined),
      close: Effect.void
    }
  })
}
