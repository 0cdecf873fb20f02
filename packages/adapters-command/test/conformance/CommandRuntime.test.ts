import { describe, it } from "@effect/vitest"
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { AgentRuntime } from "@opensymphony/core/ports/AgentRuntime"
import { runtimeSuite, type RuntimeSubject } from "@opensymphony/core/testing"
import { Context, Effect, Layer, type Scope } from "effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as CommandRuntime from "../../src/CommandRuntime.ts"
import * as ShellAgent from "./ShellAgent.ts"

type Services = ChildProcessSpawner | ProcessProbe

const subject: RuntimeSubject<Services> = {
  make: Effect.fnUntraced(function* (play, condition) {
    const services = yield* Effect.context<Services | Scope.Scope>()
    const root = yield* ShellAgent.temporaryDirectory
    const layer = CommandRuntime.layer({
      run: ShellAgent.script(play),
      environment: condition === "down" ? { PATH: join(root, "nowhere") } : ShellAgent.environment,
      workflowPath: join(root, "WORKFLOW.md"),
      stopTimeoutMs: condition === "unstoppable" ? 200 : 3_000
    }).pipe(Layer.provide(ShellAgent.probeWith(() => condition === "unstoppable")))
    const runtime = Context.get(yield* Layer.build(layer), AgentRuntime)
    let runs = 0
    const workspaceOf = (runId: RunId) => join(root, runId)
    const nextRun = Effect.sync(() => {
      const runId = RunId(`run-${++runs}`)
      const issue = Issue.make({ id: IssueId(runId), identifier: runId, title: "A title", state: "Todo" })
      const path = workspaceOf(runId)
      mkdirSync(path)
      return { runId, issue, attempt: null, workspace: { issueId: issue.id, identifier: runId, key: runId, path } }
    })
    return {
      runtime,
      nextRun: Effect.tap(nextRun, ({ workspace }) =>
        Effect.addFinalizer(() => Effect.provideContext(ShellAgent.kill(workspace.path), services))
      ).pipe(Effect.provideContext(services)),
      working: (runId) => Effect.provideContext(ShellAgent.groupAlive(workspaceOf(runId)), services),
      prompts: (runId) => Effect.sync(() => ShellAgent.prompts(workspaceOf(runId)))
    }
  })
}

describe("CommandRuntime", () => {
  for (const { effect, name } of runtimeSuite(subject)) {
    it.live(name, () => Effect.provide(effect, ShellAgent.platform))
  }
})
