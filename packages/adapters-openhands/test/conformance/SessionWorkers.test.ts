import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, it } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { AgentRuntime } from "@opensymphony/core/ports/AgentRuntime"
import { WorkerBackend } from "@opensymphony/core/ports/WorkerBackend"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import * as SessionWorkers from "@opensymphony/core/session/SessionWorkers"
import { type WorkerPlan, workerSuite, type WorkerSubject } from "@opensymphony/core/testing"
import { Context, Effect, Exit, type FileSystem, Layer, Logger, type Path, Scope } from "effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { join } from "node:path"
import * as Scene from "../runtime/Scene.ts"
import * as PlayedAgent from "./PlayedAgent.ts"

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

const platform = NodeProcessProbe.layer.pipe(
  Layer.provideMerge(NodeServices.layer),
  Layer.provideMerge(Logger.layer([]))
)

const noHooks = { afterCreate: null, beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 20_000 }

const subject: WorkerSubject<Services> = {
  closes: true,
  make: Effect.gen(function* () {
    const directory = yield* Scene.directory
    const root = join(directory, "root")
    const server = yield* Scene.fake()
    const plans = new Map<string, WorkerPlan>()
    const scope = yield* Scope.fork(yield* Effect.scope)

    const workspaces = FilesystemWorkspaces.layer({
      root,
      remove: "clean",
      hooks: noHooks,
      hookEnvironment: {},
      workflowPath: join(directory, "WORKFLOW.md")
    })
    const planned = yield* Scope.provide(Scene.runtimeAt(server.url, { stopTimeoutMs: 1_500 }), scope)
    const runtime = Layer.succeed(AgentRuntime, {
      ...planned,
      openSession: (request) =>
        PlayedAgent.renamed(planned, plans.get(request.run.runId)?.agent.session ?? null).openSession(request)
    })
    const workers = SessionWorkers.layer({
      stopTimeoutMs: 2_000,
      renderPrompt: ({ issue }) => {
        const launch = plans.get(issue.identifier)?.launch
        if (launch === "hangs") return Effect.never
        return launch === "fails"
          ? Effect.fail({ message: "no such variable" })
          : Effect.succeed(`Do ${issue.identifier}.`)
      }
    }).pipe(Layer.provide(runtime), Layer.provideMerge(workspaces))
    const context = yield* Layer.buildWithScope(workers, scope)

    const release = (runId: RunId) =>
      Effect.promise(async () => {
        server.clearFaults()
        const path = join(root, runId)
        for (const { id, workspace } of server.conversations()) {
          if (workspace !== path) continue
          const headers = { "x-session-api-key": Scene.sessionKey }
          await fetch(`${server.url}/api/conversations/${id}/interrupt`, { method: "POST", headers })
        }
      })

    return {
      workers: Context.get(context, WorkerBackend),
      prepare: (plan) =>
        Effect.gen(function* () {
          const runId = RunId(`run-${plans.size + 1}`)
          plans.set(runId, plan)
          // Later turns of a run have a prompt of their own, which names the issue as well.
          server.script({ match: runId, steps: PlayedAgent.steps(plan.agent) })
          if (plan.stop === "unconfirmed") server.fault({ on: "behaviour", behaviour: "lostStop" })
          const issue = Issue.make({ id: IssueId(runId), identifier: runId, title: "A title", state: "Todo" })
          const workspace = yield* Context.get(context, WorkspaceBackend).ensureWorkspace(issue)
          return { runId, issue, attempt: null, workspace }
        }),
      working: (runId) => Effect.sync(() => PlayedAgent.working(server, join(root, runId))),
      release,
      close: Scope.close(scope, Exit.void)
    }
  })
}

describe("SessionWorkers over OpenHandsRuntime", () => {
  for (const { effect, name } of workerSuite(subject)) {
    it.live(name, () => Effect.provide(effect, platform))
  }
})
