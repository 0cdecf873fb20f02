/** The tools of runs on a fake Linear, called by the official MCP client. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { AgentTools, type AgentToolsService, type RunTools } from "@opensymphony/core/ports/AgentTools"
import { Context, Effect, FileSystem, Layer, Logger, Redacted, type Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import { createServer } from "node:http"
import * as LinearApi from "../../src/LinearApi.ts"
import * as FakeLinear from "../../src/testing/FakeLinear.ts"
import * as LinearTools from "../../src/tools/LinearTools.ts"

export interface World {
  readonly linear: FakeLinear.FakeLinear
  readonly agentTools: AgentToolsService
  /** Absolute, links resolved; `.opensymphony` is not there yet. */
  readonly workspace: string
  /** Everything logged so far. */
  readonly logged: () => string
}

const server = NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 100 })

/** What a tools' layer on the fake stands on, but for an HTTP server. */
export const platformOf = (linear: FakeLinear.FakeLinear) =>
  Layer.mergeAll(
    LinearApi.layer({ endpoint: linear.url, apiKey: Redacted.make(linear.apiKey) }),
    FetchHttpClient.layer,
    NodeServices.layer
  )

/** A logger that keeps what it is told. */
export const keptLog = () => {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ cause, message }) => {
    lines.push(`${JSON.stringify(message)} ${String(cause)}`)
  })
  return { layer: Logger.layer([logger]), text: () => lines.join("\n") }
}

/** Another set of tools on the same fake, as another orchestrator would have. */
export const toolsOn = (
  linear: FakeLinear.FakeLinear,
  options: Partial<LinearTools.LinearToolsOptions> = {}
): Effect.Effect<AgentToolsService, unknown, Scope.Scope> =>
  Effect.map(
    Layer.build(
      LinearTools.layer({ workpadMarkers: [], rawQueries: false, bridge: null, ...options }).pipe(
        Layer.provide([server, platformOf(linear)])
      )
    ),
    (context) => Context.get(context, AgentTools)
  )

/** A fake with issues ENG-1 and ENG-2 in its project, and a workspace. */
export const make = (
  options: Partial<LinearTools.LinearToolsOptions> = {}
): Effect.Effect<World, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const log = keptLog()
    const linear = yield* FakeLinear.make()
    const project = linear.project.id
    linear.createIssue({ title: "Sort the shelves", state: "Todo", project, description: "By colour." })
    linear.createIssue({ title: "Buy shelves", state: "In Progress", project })
    const agentTools = yield* Effect.provide(toolsOn(linear, options), log.layer)
    const fs = yield* FileSystem.FileSystem
    const workspace = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
    return { linear, agentTools, workspace, logged: log.text }
  }).pipe(Effect.provide(NodeServices.layer))

export interface OpenRun {
  readonly tools: RunTools
  readonly url: string
  readonly token: string
  readonly client: Client
}

/** A connected client; closed with the scope. */
export const connect = (transport: Transport): Effect.Effect<Client, unknown, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise(async () => {
      const client = new Client({ name: "test", version: "1" })
      await client.connect(transport)
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

export const httpTransport = (url: string, token: string): Transport =>
  // Its optional members are typed without `undefined`.
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } }
  }) as Transport

/** Opens the tools of a run on an issue until the scope closes. */
export const openRun = (
  { agentTools, linear, workspace }: World,
  identifier = "ENG-1",
  runId = "run-1"
): Effect.Effect<OpenRun, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const { id, state, title } = linear.issue(identifier)
    const issueId = IssueId(id)
    const tools = yield* agentTools.open({
      runId: RunId(runId),
      issue: Issue.make({ id: issueId, identifier, title, state }),
      attempt: null,
      workspace: { issueId, identifier, key: identifier, path: workspace }
    })
    const [endpoint] = tools.servers
    if (endpoint === undefined) return yield* Effect.die("no server")
    const token = Redacted.value(endpoint.token)
    return { tools, url: endpoint.url, token, client: yield* connect(httpTransport(endpoint.url, token)) }
  })

export interface Answer {
  readonly text: string
  readonly isError: boolean
  readonly data: Readonly<Record<string, unknown>>
}

/** Calls a tool; that it refuses is part of the answer. */
export const call = (client: Client, name: string, input: Record<string, unknown> = {}): Effect.Effect<Answer> =>
  Effect.promise(async () => {
    const result = CallToolResultSchema.parse(await client.callTool({ name, arguments: input }))
    return {
      text: result.content.map((part) => (part.type === "text" ? part.text : "")).join("\n"),
      isError: result.isError ?? false,
      data: result.structuredContent ?? {}
    }
  })

/** Calls a tool that must do what it is asked to. */
export const does = (client: Client, name: string, input: Record<string, unknown> = {}): Effect.Effect<Answer> =>
  Effect.map(call(client, name, input), (answer) => {
    assert.isFalse(answer.isError, answer.text)
    return answer
  })

/** Calls a tool that must refuse, and returns its reason. */
export const refuses = (client: Client, name: string, input: Record<string, unknown> = {}): Effect.Effect<string> =>
  Effect.map(call(client, name, input), (answer) => {
    assert.isTrue(answer.isError, answer.text)
    return answer.text
  })

/** The bodies of an issue's comments, oldest first. */
export const commentsOn = ({ linear }: World, identifier: string): ReadonlyArray<string> => {
  const { id } = linear.issue(identifier)
  return linear
    .entities("Comment")
    .filter(({ issueId }) => issueId === id)
    .map(({ body }) => body)
}
