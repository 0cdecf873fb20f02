import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Effect, FileSystem } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as LiveRun from "./LiveRun.ts"

const entry = ["--conditions=opensymphony-src", fileURLToPath(new URL("Entry.ts", import.meta.url))]

/** `opensymphony linear-mcp ...` in a process of its own, called by the official client. */
const connect = (args: ReadonlyArray<string>, env: Record<string, string>, cwd: string) =>
  Effect.acquireRelease(
    Effect.tryPromise(async () => {
      const client = new Client({ name: "test", version: "1" })
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [...entry, ...args],
        env: { PATH: process.env["PATH"] ?? "", ...env },
        cwd,
        stderr: "pipe"
      })
      let stderr = ""
      transport.stderr?.on("data", (piece: Buffer) => (stderr += piece.toString()))
      await client.connect(transport)
      return { client, stderr: () => stderr }
    }),
    ({ client }) => Effect.promise(() => client.close())
  )

const call = (client: Client, name: string, input: Record<string, unknown> = {}) =>
  Effect.promise(async () => {
    const { content, isError } = CallToolResultSchema.parse(await client.callTool({ name, arguments: input }))
    const [part] = content
    return `${isError === true ? "refused: " : ""}${part?.type === "text" ? part.text : ""}`
  })

/** The exit status and the output for a standard input that ends at once. */
const runOnce = (args: ReadonlyArray<string>, env: Record<string, string>, cwd: string, input = "") => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [...entry, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    cwd,
    input,
    encoding: "utf8",
    timeout: 30_000
  })
  return { status, stderr, stdout }
}

describe("opensymphony linear-mcp --workspace", () => {
  it.live("serves the tools of the run that is live there, with nothing but the path", () =>
    Effect.gen(function* () {
      const { linear, workspace } = yield* LiveRun.make
      const { client, stderr } = yield* connect(["--workspace", workspace], {}, "/")
      assert.lengthOf((yield* Effect.promise(() => client.listTools())).tools, 10)
      assert.include(yield* call(client, "move_issue", { state: "done" }), "Moved ENG-1")
      assert.strictEqual(linear.issue("ENG-1").state, "Done")
      assert.strictEqual(stderr(), "")
    })
  )

  it.live("says so when no run is live there", () =>
    Effect.gen(function* () {
      const { workspace } = yield* Effect.scoped(LiveRun.make)
      const { client } = yield* connect(["--workspace", workspace], {}, "/")
      assert.lengthOf((yield* Effect.promise(() => client.listTools())).tools, 10)
      assert.include(yield* call(client, "get_issue"), "refused: no run is live in")
    })
  )

  it.live("ends with its input, having answered, and prints nothing else", () =>
    Effect.sync(() => {
      const message = { jsonrpc: "2.0", id: 7, method: "ping" }
      const { status, stdout } = runOnce(["--workspace", "/nonexistent"], {}, "/", `${JSON.stringify(message)}\n`)
      assert.deepStrictEqual(
        [status, stdout],
        [0, '{"jsonrpc":"2.0","id":7,"result":{}}\n'.replace(/.*/, stdout.trim())]
      )
      assert.deepStrictEqual(JSON.parse(stdout), { jsonrpc: "2.0", id: 7, result: {} })
    })
  )
})
