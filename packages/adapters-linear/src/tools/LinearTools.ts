/**
 * The tools that this process serves to agents on Linear issues: one HTTP listener on loopback for all runs, a token
 * and an issue for each. The key of the tracker stays in this process.
 */
import { AgentTools, type RunTools } from "@opensymphony/core/ports/AgentTools"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { LinearApi } from "../LinearApi.ts"
import * as Catalog from "./Catalog.ts"
import type * as UploadFile from "./catalog/UploadFile.ts"
import * as EndpointFile from "./EndpointFile.ts"
import * as LiveRuns from "./LiveRuns.ts"
import * as ToolEndpoint from "./ToolEndpoint.ts"
import * as ToolHost from "./ToolHost.ts"
import * as ToolProtocol from "./ToolProtocol.ts"

export interface LinearToolsOptions extends Catalog.CatalogOptions {
  /** The command that runs `opensymphony linear-mcp`, without `--workspace`; null: there is no bridge. */
  readonly bridge: { readonly command: string; readonly args: ReadonlyArray<string> } | null
}

/** What the workpad of an issue may take to be read before a prompt goes without it. */
const workpadTimeoutMs = 20_000

type Services = LinearApi | HttpServer.HttpServer | UploadFile.Services

/** The tools of every run under this layer. The HTTP server must listen on a loopback address. */
export const layer = (options: LinearToolsOptions): Layer.Layer<never, never, Services> =>
  Layer.effect(
    AgentTools,
    Effect.gen(function* () {
      // Nothing else of this layer's: its scope in particular is not a run's.
      const context = Context.pick(FileSystem.FileSystem, Path.Path)(yield* Effect.context<UploadFile.Services>())
      const catalog = yield* Catalog.make(options)
      const runs = LiveRuns.make()
      const server = yield* HttpServer.HttpServer
      yield* server.serve(ToolEndpoint.handle(runs))
      const url = `${HttpServer.formatAddress(server.address)}${ToolEndpoint.path}`

      const readWorkpad = (issueId: string, identifier: string): RunTools["workpad"] =>
        catalog.workpads.read(issueId).pipe(
          Effect.timeout(workpadTimeoutMs),
          Effect.map((pad) => pad?.body ?? null),
          Effect.catch(({ message }) =>
            Effect.as(Effect.logWarning(`the workpad of ${identifier} could not be read: ${message}`), null)
          )
        )

      return {
        open: Effect.fnUntraced(function* ({ issue, runId, workspace }) {
          const host = ToolHost.bound(catalog, {
            issueId: issue.id,
            identifier: issue.identifier,
            seed: runId,
            directory: workspace.path
          })
          const call: ToolHost.ToolHost["call"] = (name, input) =>
            Effect.annotateLogs(host.call(name, input), { run_id: runId })
          const token = yield* runs.open({ ...host, call })
          if (options.bridge !== null) yield* EndpointFile.publish(workspace.path, { url, token })
          const bridge =
            options.bridge === null
              ? null
              : { ...options.bridge, args: [...options.bridge.args, "--workspace", workspace.path] }
          return {
            servers: [{ name: ToolProtocol.serverName, url, token, bridge }],
            workpad: readWorkpad(issue.id, issue.identifier)
          }
        }, Effect.provideContext(context))
      }
    })
  )
