import { assert, describe, it } from "@effect/vitest"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import * as LocalServer from "@opensymphony/adapters-openhands/server/LocalServer"
import { Effect, FileSystem } from "effect"
import { spawn } from "node:child_process"
import { accessOf } from "../../src/debug/ConversationWorkflow.ts"
import { examine } from "../../src/doctor/DoctorProgram.ts"
import * as WorkflowFile from "../../src/WorkflowFile.ts"
import * as Scene from "./Scene.ts"

const command = [process.execPath, "--conditions=opensymphony-src", `${import.meta.dirname}/AgentServerProgram.ts`]

const startedBy = (words: ReadonlyArray<string>): Scene.SceneOptions => ({
  runtime: `openhands:
  local_server: {command: ${JSON.stringify(words)}}
  conversation: {agent: {llm: {model: demo/model, api_key_env: MODEL_KEY}}}`
})

const managed = startedBy(command)

const test = (name: string, body: (scene: Scene.Scene) => Effect.Effect<void, any, any>, options = managed) =>
  it.live(
    name,
    () =>
      Effect.flatMap(Scene.make(options), body).pipe(
        Effect.scoped,
        Effect.provide(Scene.platform)
      ) as Effect.Effect<void>,
    60_000
  )

/** The server that an orchestrator would have, until the scope closes. */
const orchestrator = Effect.fnUntraced(function* ({ environment, root, workflow }: Scene.Scene) {
  yield* RootLock.acquire({ root, workflowPath: workflow })
  const loaded = yield* WorkflowFile.load(workflow, { environment, strict: false })
  const section = loaded.workflow.openhands
  if (section === null) return yield* Effect.die("the scene has no openhands section")
  const server = yield* LocalServer.make(accessOf(loaded.workflow, section, { environment, redact: (text) => text }))
  return yield* server.endpoint
})

const record = (scene: Scene.Scene) => `${scene.root}/.opensymphony/openhands/server.json`

/** The command as a process of its own, to which a signal is sent once it has printed `when`. */
const signalled = (scene: Scene.Scene, args: ReadonlyArray<string>, when: string) =>
  Effect.promise(
    () =>
      new Promise<{ readonly status: number | null; readonly output: string }>((resolve) => {
        const entry = `${import.meta.dirname}/Entry.ts`
        const child = spawn(process.execPath, ["--conditions=opensymphony-src", entry, ...args], {
          env: { ...process.env, ...scene.environment },
          cwd: scene.directory
        })
        let output = ""
        let isSent = false
        const hear = (chunk: Buffer) => {
          output += chunk.toString()
          if (isSent || !output.includes(when)) return
          isSent = true
          child.kill("SIGINT")
        }
        child.stdout.on("data", hear)
        child.stderr.on("data", hear)
        child.once("close", (status) => resolve({ status, output }))
      })
  )

describe("commands on a server of this machine", () => {
  test(
    "start it for their time where none runs",
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      const { conversation } = yield* scene.run("Do it.")
      assert.isFalse(yield* fs.exists(record(scene)))
      const shown = yield* scene.debug()
      assert.strictEqual(shown.status, 0, shown.message)
      assert.include(shown.lines[0] ?? "", `${conversation}, finished`)
      assert.isFalse(yield* fs.exists(record(scene)))
      yield* RootLock.acquire({ root: scene.root, workflowPath: scene.workflow })
    })
  )

  test(
    "read from the one that an orchestrator has, and leave it alone",
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      const { conversation } = yield* scene.run("Do it.")
      yield* orchestrator(scene)
      const before = yield* fs.readFileString(record(scene))
      const shown = yield* scene.debug()
      assert.include(shown.lines[0] ?? "", conversation)
      assert.strictEqual(yield* fs.readFileString(record(scene)), before)
      assert.match((yield* scene.debug({ say: "And now?" })).message, /^saying something .* has it; stop that first$/)
    })
  )

  test(
    "say that an orchestrator has the workspaces and no server yet",
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      yield* RootLock.acquire({ root: scene.root, workflowPath: scene.workflow })
      const shown = yield* scene.debug()
      assert.match(shown.message, /^no OpenHands agent-server runs .* needs the workspace root .* process \d+, has it/)
    })
  )

  test(
    "stop the turn and the server on Ctrl-C",
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      yield* scene.run("Do it.")
      const args = ["debug", "A-1", "--workflow", scene.workflow, "--say", "Slowly."]
      const { output, status } = yield* signalled(scene, args, "$ sleep 600")
      assert.strictEqual(status, 130, output)
      assert.isFalse(yield* fs.exists(record(scene)))
      const shown = yield* scene.debug()
      assert.match(shown.lines[0] ?? "", /, paused, /)
    })
  )

  test(
    "are examined with it by the doctor, which ends it",
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      yield* scene.workspace
      const shown = yield* Scene.shownBy(examine({ workflow: scene.workflow }, scene.environment))
      const text = shown.lines.join("\n")
      assert.strictEqual(shown.status, 0, text)
      assert.match(
        text,
        /^PASS {2}openhands .* can be started; one was, at http:\/\/127\.0\.0\.1:\d+, for these checks$/m
      )
      assert.match(text, /^PASS {2}model .* said "ready"/m)
      assert.isFalse(yield* fs.exists(record(scene)))
      assert.sameMembers(yield* fs.readDirectory(`${scene.root}/.opensymphony`), ["creating", "removing", "openhands"])
    })
  )

  test(
    "end what the doctor started when it is broken off",
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      yield* scene.workspace
      const { output, status } = yield* signalled(scene, ["doctor", scene.workflow], "PASS  tracker")
      assert.strictEqual(status, 130, output)
      assert.isFalse(yield* fs.exists(record(scene)))
      yield* RootLock.acquire({ root: scene.root, workflowPath: scene.workflow })
    })
  )

  test(
    "say at once why it cannot be started",
    Effect.fnUntraced(function* (scene) {
      yield* scene.workspace
      const shown = yield* scene.debug()
      assert.match(shown.message, /ended with status 3 before it was ready; it said: no such module/)
    }),
    startedBy([process.execPath, "-e", "console.error('no such module'); process.exit(3)", "--"])
  )
})
