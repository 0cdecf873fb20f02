import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { Effect, FileSystem } from "effect"
import { execFile } from "node:child_process"
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

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What the process prints, and its exit status, for a standard input that ends at once. */
const runOnce = (args: ReadonlyArray<string>, env: Record<string, string>, cwd: string, input = "") =>
  Effect.callback<Ended>((resume) => {
    const options = { env: { PATH: process.env["PATH"] ?? "", ...env }, cwd, timeout: 30_000 }
    const child = execFile(process.execPath, [...entry, ...args], options, (_error, stdout, stderr) =>
      resume(Effect.succeed({ status: child.exitCode, stdout, stderr }))
    )
    child.stdin?.end(input)
  })

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
    Effect.gen(function* () {
      const message = { jsonrpc: "2.0", id: 7, method: "ping" }
      const { status, stdout } = yield* runOnce(
        ["--workspace", "/nonexistent"],
        {},
        "/",
        `${JSON.stringify(message)}\n`
      )
      assert.strictEqual(status, 0)
      assert.deepStrictEqual(JSON.parse(stdout), { jsonrpc: "2.0", id: 7, result: {} })
    })
  )
})

/** A WORKFLOW.md for the fake, and the environment that it needs. */
const makeProject = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const linear = yield* FakeLinear.make()
  const { id } = linear.project
  linear.createIssue({ title: "One", state: "Todo", project: id })
  linear.createIssue({ title: "Two", state: "Todo", project: id })
  const directory = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
  const write = (trackerLines: string) =>
    fs.writeFileString(
      `${directory}/WORKFLOW.md`,
      `---\ntracker:\n${trackerLines}command: {run: "true"}\nruntime: {kind: command}\n---\nDo it.\n`
    )
  yield* write(`  kind: linear\n  endpoint: ${linear.url}\n  project_slug: ${linear.project.slugId}\n`)
  return { linear, directory, write, environment: { LINEAR_API_KEY: linear.apiKey } }
})

describe("opensymphony linear-mcp", () => {
  it.live("serves the project of the workflow, each call naming its issue", () =>
    Effect.gen(function* () {
      const { directory, environment, linear } = yield* makeProject
      const { client, stderr } = yield* connect([], environment, directory)
      assert.include(yield* call(client, "move_issue", { issue: "ENG-2", state: "Done" }), "Moved ENG-2")
      assert.strictEqual(linear.issue("ENG-2").state, "Done")
      assert.include(stderr(), "tool move_issue")
      assert.notInclude(stderr(), linear.apiKey)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("serves one issue when told, with files of the working directory", () =>
    Effect.gen(function* () {
      const { directory, environment, linear } = yield* makeProject
      const { client } = yield* connect(["WORKFLOW.md", "--issue", "ENG-1"], environment, directory)
      const text = yield* call(client, "upload_file", { path: "WORKFLOW.md", comment: "How:" })
      assert.include(text, "Uploaded WORKFLOW.md")
      assert.lengthOf(linear.entities("Comment"), 1)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live(
    "exits with 1 and the reason when it cannot serve",
    () =>
      Effect.gen(function* () {
        const { directory, environment, linear, write } = yield* makeProject
        const reasonOf = (args: ReadonlyArray<string>, env: Record<string, string> = environment) =>
          Effect.map(runOnce(args, env, directory), ({ status, stderr, stdout }) => {
            assert.deepStrictEqual([status, stdout], [1, ""], stderr)
            return stderr
          })
        assert.include(yield* reasonOf(["nothing.md"]), "nothing.md does not exist")
        assert.include(yield* reasonOf([], {}), "LINEAR_API_KEY")
        const wrong = yield* reasonOf([], { LINEAR_API_KEY: "lin_api_wrong00000" })
        assert.match(wrong, /key/i)
        assert.notInclude(wrong, "lin_api_wrong00000")
        assert.match(yield* reasonOf(["--issue", "ENG-99"]), /not found|could not find/i)
        yield* write(`  kind: linear\n  endpoint: ${linear.url}\n  project_slug: nowhere\n`)
        assert.include(yield* reasonOf([]), "is no project that this key can see")
        yield* write("  kind: files\n  path: board\n")
        assert.include(yield* reasonOf([]), "linear-mcp needs one with `tracker.kind: linear`")
      }).pipe(Effect.provide(NodeServices.layer)),
    // Six processes, one after the other.
    90_000
  )
})
