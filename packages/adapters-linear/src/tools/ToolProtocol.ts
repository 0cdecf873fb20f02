/** The Model Context Protocol over a host's tools: one server object per connection, whatever carries it. */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ToolHost } from "./ToolHost.ts"

/** What the server is called wherever agents list it. */
export const serverName = "linear"

const instructions =
  "Tools for one Linear issue. Read it with get_issue, keep plan and notes in the workpad (read_workpad, write_workpad), and move it with move_issue when its state is reached. A call that failed may be repeated: nothing is done twice."

/** Serves the tools on a transport until the scope closes; calls that are still at work then are interrupted. */
export const serve = Effect.fnUntraced(function* (
  host: ToolHost,
  transport: Transport
): Effect.fn.Return<void, never, Scope.Scope> {
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  const server = new Server({ name: serverName, version: "1" }, { capabilities: { tools: {} }, instructions })
  server.setRequestHandler(ListToolsRequestSchema, async (_request, { signal }) => ({
    tools: [...(await run(host.list, { signal }))]
  }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) =>
    run(host.call(params.name, params.arguments), { signal })
  )
  yield* Effect.acquireRelease(
    Effect.promise(() => server.connect(transport)),
    () => Effect.promise(() => server.close())
  )
})
