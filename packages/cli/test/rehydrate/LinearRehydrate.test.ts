import { assert, describe, it } from "@effect/vitest"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { FakeAgentServer } from "@opensymphony/adapters-openhands/testing"
import { IssueId, SessionId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import { Context, Effect, FileSystem, Layer } from "effect"
import { rehydrate } from "../../src/rehydrate/RehydrateProgram.ts"
import * as Scene from "../debug/Scene.ts"

const hooks = { afterCreate: null, beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 10_000 }

/** A Linear issue with a workpad, whose conversation is gone, after it was given a new one. */
const rehydrated = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const linear = yield* FakeLinear.make()
  const server = yield* FakeAgentServer.make({ apiKeys: [Scene.sessionKey] })
  const { id, identifier } = linear.createIssue({ title: "A task", state: "Todo", project: linear.project.id })
  linear.addComment(id, "## Agent Harness Workpad\n\nThe plan: sort the shelves.")
  const directory = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
  const workflow = `${directory}/WORKFLOW.md`
  yield* fs.writeFileString(
    workflow,
    `---
tracker: {kind: linear, endpoint: "${linear.url}", project_slug: "${linear.projectUrl}"}
workspace: {root: ./workspaces}
openhands:
  transport: {base_url: "${server.url}", session_api_key_env: SESSION_KEY}
  conversation: {agent: {llm: {model: demo/model, api_key_env: MODEL_KEY}}}
---
Do {{ issue.title }}.
`
  )
  const root = `${directory}/workspaces`
  const layer = FilesystemWorkspaces.layer({
    root,
    remove: "clean",
    hooks,
    hookEnvironment: {},
    workflowPath: workflow
  })
  const workspaces = Context.get(yield* Layer.build(layer), WorkspaceBackend)
  const workspace = yield* workspaces.ensureWorkspace(
    Issue.make({ id: IssueId(id), identifier, title: "A task", state: "Todo" })
  )
  yield* workspaces.writeSession(workspace, SessionId("ffffffff-0000-4000-8000-000000000000"))
  const environment = { LINEAR_API_KEY: linear.apiKey, MODEL_KEY: Scene.modelKey, SESSION_KEY: Scene.sessionKey }
  const status = yield* rehydrate({ issue: identifier, workflow, dryRun: false }, environment)
  assert.strictEqual(status, 0)
  const conversation = server.conversation(String(yield* workspaces.readSession(workspace)))
  assert.isDefined(conversation)
  return { conversation, workspace }
})

const test = (name: string, body: (made: Effect.Success<typeof rehydrated>) => void) =>
  it.live(name, () => Effect.map(rehydrated, body).pipe(Effect.scoped, Effect.provide(Scene.platform)))

describe("opensymphony rehydrate of a Linear issue", () => {
  test("tells the new conversation what the workpad says", ({ conversation }) => {
    assert.include(conversation?.messages[0] ?? "", "The plan: sort the shelves.")
  })

  test("gives it the tools that a run would give it", ({ conversation, workspace }) => {
    const config = conversation?.agent["mcp_config"] as { readonly [name: string]: { readonly args: unknown } }
    assert.include(JSON.stringify(config), "linear-mcp")
    assert.include(JSON.stringify(config), workspace.path)
  })
})
