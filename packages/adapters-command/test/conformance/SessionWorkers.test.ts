import { describe, it } from "@effect/vitest"
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { WorkerBackend } from "@opensymphony/core/ports/WorkerBackend"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import * as SessionWorkers from "@opensymphony/core/session/SessionWorkers"
import { type WorkerPlan, workerSuite, type WorkerSubject } from "@opensymphony/core/testing"
import { Context, Effect, Exit, type FileSystem, Layer, type Path, Scope } from "effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as CommandRuntime from "../../src/CommandRuntime.ts"
import * as ShellAgent from "./ShellAgent.ts"

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

const noHooks = { afterCreate: null, beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 20_000 }

const subject: WorkerSubject<Services> = {
  closes: true,
  make: Effect.gen(function* () {
    const services = yield* Effect.context<Services | Scope.Scope>()
    const directory = yield* ShellAgent.temporaryDirectory
    const root = join(directory, "root")
    const workflowPath = join(directory, "WORKFLOW.md")
    const plans = new Map<string, WorkerPlan>()
    const planOf = (identifier: string): WorkerPlan | undefined => plans.get(identifier)

    const workspaces = FilesystemWorkspaces.layer({
      root,
      remove: "clean",
      hooks: noHooks,
      hookEnvironment: ShellAgent.environment,
      workflowPath
    })
    const isUnstoppable = () => [...plans.values()].some(({ stop }) => stop === "unconfirmed")
    const runtime = CommandRuntime.layer({
      run: `. '${directory}'/"$OPENSYMPHONY_ISSUE_IDENTIFIER.sh"`,
      environment: ShellAgent.environment,
      workflowPath,
      stopTimeoutMs: 1_500
    }).pipe(Layer.provide(ShellAgent.probeWith(isUnstoppable)))
    const workers = SessionWorkers.layer({
      stopTimeoutMs: 2_000,
      renderPrompt: ({ issue }) => {
        const launch = planOf(issue.identifier)?.launch
        if (launch === "hangs") return Effect.never
        return launch === "fails" ? Effect.fail({ message: "no such variable" }) : Effect.succeed("Do it.")
      }
    }).pipe(Layer.provide(runtime), Layer.provideMerge(workspaces))
    const scope = yield* Scope.fork(yield* Effect.scope)
    const context = yield* Layer.buildWithScope(workers, scope)

    const workspaceOf = (runId: RunId) => join(root, runId)
    return {
      workers: Context.get(context, WorkerBackend),
      prepare: (plan) =>
        Effect.gen(function* () {
          const runId = RunId(`run-${plans.size + 1}`)
          plans.set(runId, plan)
          writeFileSync(join(directory, `${runId}.sh`), ShellAgent.script(plan.agent))
          const issue = Issue.make({ id: IssueId(runId), identifier: runId, title: "A title", state: "Todo" })
          const workspace = yield* Context.get(context, WorkspaceBackend).ensureWorkspace(issue)
          yield* Effect.addFinalizer(() => Effect.provideContext(ShellAgent.kill(workspace.path), services))
          return { runId, issue, attempt: null, workspace }
        }).pipe(Effect.provideContext(services)),
      working: (runId) => Effect.provideContext(ShellAgent.groupAlive(workspaceOf(runId)), services),
      release: (runId) => Effect.provideContext(ShellAgent.kill(workspaceOf(runId)), services),
      close: Scope.close(scope, Exit.void)
    }
  })
}

describe("SessionWorkers over CommandRuntime", () => {
  for (const { effect, name } of workerSuite(subject)) {
    it.live(name, () => Effect.provide(effect, ShellAgent.platform))
  }
})
