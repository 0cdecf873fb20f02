/**
 * The tools of whichever run is live in a workspace, for agents whose configuration outlives a run: the run's endpoint
 * is looked up anew for each call. It holds no credential, and no token longer than a call.
 */
import { type CallToolResult, CallToolResultSchema, ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Path from "effect/Path"
import { LinearApi } from "../LinearApi.ts"
import { LinearForbidden } from "../LinearError.ts"
import * as Catalog from "./Catalog.ts"
import * as EndpointFile from "./EndpointFile.ts"
import * as ToolClient from "./ToolClient.ts"
import * as ToolHost from "./ToolHost.ts"

type Services = FileSystem.FileSystem | Path.Path | HttpClient.HttpClient

/** Only describes: nothing in the bridge may ask Linear. */
const withoutApi = (() => {
  const refused = Effect.fail(new LinearForbidden({ message: "the bridge does not ask Linear by itself" }))
  return LinearApi.of({ call: () => refused, raw: () => refused, budget: Effect.die("the bridge has no budget") })
})()

/** What is listed while no run is live: the tools that every run has. */
const usualTools = Effect.gen(function* () {
  const catalog = yield* Catalog.make({ workpadMarkers: [], rawQueries: false })
  return yield* ToolHost.bound(catalog, { issueId: "", identifier: "", seed: "", directory: "" }).list
}).pipe(Effect.provideService(LinearApi, withoutApi))

/** A host that forwards to the run that is live in `workspace` at the time of each call. */
export const make = Effect.fnUntraced(function* (
  workspace: string
): Effect.fn.Return<ToolHost.ToolHost, never, Services> {
  const context = Context.pick(
    FileSystem.FileSystem,
    Path.Path,
    HttpClient.HttpClient
  )(yield* Effect.context<Services>())
  const usual = yield* usualTools
  const forward = (method: "tools/list" | "tools/call", params: { readonly [name: string]: unknown }) =>
    Effect.gen(function* () {
      const endpoint = yield* EndpointFile.read(workspace)
      if (endpoint === null) {
        const message = `no run is live in ${workspace}, so nothing was done; the tools work while the orchestrator runs an agent on its issue`
        return yield* new ToolClient.ToolClientError({ message })
      }
      return yield* ToolClient.request(endpoint, method, params)
    }).pipe(Effect.provideContext(context))
  return {
    list: forward("tools/list", {}).pipe(
      Effect.map((result) => ListToolsResultSchema.safeParse(result).data?.tools ?? usual),
      Effect.catch(() => Effect.succeed(usual))
    ),
    call: (name, input) =>
      forward("tools/call", { name, arguments: input ?? {} }).pipe(
        Effect.map(
          (result): CallToolResult =>
            CallToolResultSchema.safeParse(result).data ?? ToolHost.refusal("the tools' server answered nonsense")
        ),
        Effect.catch(({ message }) => Effect.succeed(ToolHost.refusal(message)))
      )
  }
})
