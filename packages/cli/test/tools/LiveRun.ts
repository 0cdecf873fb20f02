/** The tools of a run that is live in this process, on a fake Linear. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as LinearApi from "@opensymphony/adapters-linear/LinearApi"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import * as LinearTools from "@opensymphony/adapters-linear/tools/LinearTools"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { AgentTools } from "@opensymphony/core/ports/AgentTools"
import { Context, Effect, FileSystem, Layer, Logger, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { createServer } from "node:http"

const server = NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 100 })

/** A run on ENG-1 in a new workspace; over with the scope. */
export const make = Effect.gen(function* () {
  const linear = yield* FakeLinear.make()
  const { id } = linear.createIssue({ title: "Sort the shelves", state: "Todo", project: linear.project.id })
  const layer = LinearTools.layer({
    workpadMarkers: [],
    rawQueries: false,
    bridge: { command: "opensymphony", args: ["linear-mcp"] }
  }).pipe(
    Layer.provide([
      server,
      LinearApi.layer({ endpoint: linear.url, apiKey: Redacted.make(linear.apiKey) }),
      FetchHttpClient.layer,
      NodeServices.layer
    ])
  )
  const { open } = Context.get(yield* Effect.provide(Layer.build(layer), Logger.layer([])), AgentTools)
  const fs = yield* FileSystem.FileSystem
  const workspace = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
  const issueId = IssueId(id)
  const tools = yield* open({
    runId: RunId("run-1"),
    issue: Issue.make({ id: issueId, identifier: "ENG-1", title: "Sort the shelves", state: "Todo" }),
    attempt: null,
    workspace: { issueId, identifier: "ENG-1", key: "ENG-1", path: workspace }
  })
  const [endpoint] = tools.servers
  return {
    linear,
    workspace,
    environment: {
      OPENSYMPHONY_MCP_URL: endpoint?.url ?? "",
      OPENSYMPHONY_MCP_TOKEN: endpoint === undefined ? "" : Redacted.value(endpoint.token)
    }
  }
}).pipe(Effect.provide(NodeServices.layer))
