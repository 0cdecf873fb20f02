/** A project on a fake agent-server whose issue was worked on, for the operator's commands to look at. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import { FakeAgentServer } from "@opensymphony/adapters-openhands/testing"
import { IssueId, RunId, SessionId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { AgentRuntime, type TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import { noTools } from "@opensymphony/core/ports/AgentTools"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import { Context, Effect, Exit, FileSystem, Layer, Logger } from "effect"
import { TestConsole } from "effect/testing"
import * as OpenHandsAdapters from "../../src/adapters/OpenHandsAdapters.ts"
import { type DebugOptions, debug } from "../../src/debug/DebugProgram.ts"
import { type RehydrateOptions, rehydrate } from "../../src/rehydrate/RehydrateProgram.ts"
import * as WorkflowFile from "../../src/WorkflowFile.ts"

export const sessionKey = "session-key-of-the-test"
export const modelKey = "model-key-of-the-test"

export const platform = Layer.mergeAll(
  NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer)),
  TestConsole.layer,
  Logger.layer([])
)

export interface SceneOptions {
  readonly server?: FakeAgentServer.FakeAgentServerOptions
  /** Added to openhands.conversation, in flow style. */
  readonly conversation?: string
  /** In place of the whole openhands section. */
  readonly runtime?: string
  readonly environment?: { readonly [name: string]: string }
}

export const identifier = "A-1"
const issue = Issue.make({ id: IssueId(identifier), identifier, title: "A task", state: "Todo" })

const frontMatter = (url: string, { conversation, runtime }: SceneOptions): string =>
  `---
tracker: {kind: files}
workspace: {root: ./workspaces}
${
  runtime ??
  `openhands:
  transport: {base_url: "${url}", session_api_key_env: SESSION_KEY}
  conversation: {agent: {llm: {model: demo/model, api_key_env: MODEL_KEY}}${
    conversation === undefined ? "" : `, ${conversation}`
  }}`
}
---
Do {{ issue.title }}.
`

const usual: DebugOptions = {
  issue: identifier,
  workflow: null,
  conversation: null,
  limit: 50,
  form: "lines",
  follow: false,
  say: null
}

/** What a command printed, and how it ended. */
export interface Shown {
  readonly lines: ReadonlyArray<string>
  /** Null when it failed. */
  readonly status: number | null
  /** What it said when it failed; empty otherwise. */
  readonly message: string
}

export const shownBy = <E extends { readonly message: string }, R>(command: Effect.Effect<number, E, R>) =>
  Effect.gen(function* () {
    const before = (yield* TestConsole.logLines).length
    const exit = yield* Effect.exit(command)
    const lines = (yield* TestConsole.logLines).slice(before).map(String)
    if (Exit.isSuccess(exit)) return { lines, status: exit.value, message: "" } satisfies Shown
    const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
    assert.isDefined(error, String(exit.cause))
    return { lines, status: null, message: error?.message ?? "" } satisfies Shown
  })

/** Everything goes with the scope. */
export const make = Effect.fnUntraced(function* (options: SceneOptions = {}) {
  const fs = yield* FileSystem.FileSystem
  const server = yield* FakeAgentServer.make({ apiKeys: [sessionKey], speed: 10, ...options.server })
  const directory = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
  const root = `${directory}/workspaces`
  const workflow = `${directory}/WORKFLOW.md`
  const environment = { MODEL_KEY: modelKey, SESSION_KEY: sessionKey, ...options.environment }
  yield* fs.makeDirectory(`${directory}/issues`)
  yield* fs.writeFileString(`${directory}/issues/${identifier}.md`, "---\ntitle: A task\nstate: Todo\n---\n")
  yield* fs.writeFileString(workflow, frontMatter(server.url, options))

  const openWorkspaces = Effect.map(
    Layer.build(
      FilesystemWorkspaces.layer({
        root,
        remove: "clean",
        hooks: { afterCreate: null, beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 10_000 },
        hookEnvironment: {},
        workflowPath: workflow
      })
    ),
    (context) => Context.get(context, WorkspaceBackend)
  )

  /** The issue's workspace, made when it is not there. */
  const workspace = Effect.scoped(Effect.flatMap(openWorkspaces, (workspaces) => workspaces.ensureWorkspace(issue)))

  const session = Effect.gen(function* () {
    const workspaces = yield* openWorkspaces
    return yield* workspaces.readSession(yield* workspaces.ensureWorkspace(issue))
  }).pipe(Effect.scoped)

  const record = Effect.fnUntraced(function* (id: string) {
    const workspaces = yield* openWorkspaces
    yield* workspaces.writeSession(yield* workspaces.ensureWorkspace(issue), SessionId(id))
  }, Effect.scoped)

  /** One run with one turn, as the orchestrator would have it; returns the conversation and how the turn ended. */
  const run = Effect.fnUntraced(function* (
    prompt: string
  ): Effect.fn.Return<{ readonly conversation: string; readonly result: TurnResult }, unknown, any> {
    const { workflow: parsed } = yield* WorkflowFile.load(workflow, { environment, strict: false })
    const share = yield* OpenHandsAdapters.share
    const section = parsed.openhands as OpenHandsSettings
    const layer = OpenHandsAdapters.layer(parsed, section, share, { environment, redact: (text) => text })
    const runtime = Context.get(yield* Layer.build(layer), AgentRuntime)
    const opened = yield* runtime.openSession({
      run: { runId: RunId("run-1"), issue, attempt: null, workspace: yield* workspace },
      resume: yield* session,
      onProcess: () => Effect.void,
      tools: noTools
    })
    const result = yield* opened.runTurn({ number: 1, prompt }, () => Effect.void)
    const conversation = (yield* opened.session) ?? ""
    yield* record(conversation)
    return { conversation, result }
  }, Effect.scoped)

  return {
    server,
    directory,
    root,
    workflow,
    environment,
    workspace,
    session,
    record,
    run,
    debug: (change: Partial<DebugOptions> = {}) => shownBy(debug({ ...usual, workflow, ...change }, environment)),
    rehydrate: (change: Partial<RehydrateOptions> = {}) =>
      shownBy(rehydrate({ issue: identifier, workflow, dryRun: false, ...change }, environment))
  }
})

export type Scene = Effect.Success<ReturnType<typeof make>>

/** Sets the conversation to work, as a run does, without waiting for its end. */
export const setToWork = (scene: Scene, conversation: string, text: string) =>
  Effect.promise(async () => {
    const url = `${scene.server.url}/api/conversations/${conversation}/events`
    const body = JSON.stringify({ role: "user", content: [{ type: "text", text }], run: true })
    const headers = { "content-type": "application/json", "x-session-api-key": sessionKey }
    await fetch(url, { method: "POST", headers, body })
  })

/** Waits until it holds, for what no signal announces. */
export const eventually = (what: string, holds: () => boolean) =>
  Effect.gen(function* () {
    while (!holds()) yield* Effect.sleep("5 millis")
  }).pipe(
    Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.die(new Error(`not within 15 s: ${what}`)) })
  )
