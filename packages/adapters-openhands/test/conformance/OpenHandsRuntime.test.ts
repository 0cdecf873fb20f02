import { describe, it } from "@effect/vitest"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { runtimeSuite, type RuntimeSubject } from "@opensymphony/core/testing"
import { Effect, Logger } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Scene from "../runtime/Scene.ts"
import * as PlayedAgent from "./PlayedAgent.ts"

const subject: RuntimeSubject = {
  make: Effect.fnUntraced(function* (play, condition) {
    const root = yield* Scene.directory
    const server = yield* Scene.fake({
      scripts: [{ steps: PlayedAgent.steps(play) }],
      faults: condition === "unstoppable" ? [{ on: "behaviour", behaviour: "lostStop" }] : []
    })
    if (condition === "down") yield* Effect.promise(() => server.crash())
    const runtime = yield* Scene.runtimeAt(server.url, { stopTimeoutMs: condition === "unstoppable" ? 300 : 3_000 })
    let runs = 0
    return {
      runtime: PlayedAgent.renamed(runtime, play.session),
      nextRun: Effect.sync(() => {
        const runId = RunId(`run-${++runs}`)
        const issue = Issue.make({ id: IssueId(runId), identifier: runId, title: "A title", state: "Todo" })
        const path = join(root, runId)
        mkdirSync(path)
        return { runId, issue, attempt: null, workspace: { issueId: issue.id, identifier: runId, key: runId, path } }
      }),
      working: (runId) => Effect.sync(() => PlayedAgent.working(server, join(root, runId))),
      prompts: (runId) => Effect.sync(() => PlayedAgent.prompts(server, join(root, runId)))
    }
  })
}

describe("OpenHandsRuntime", () => {
  for (const { effect, name } of runtimeSuite(subject)) {
    it.live(name, () => Effect.provide(effect, Logger.layer([])))
  }
})
