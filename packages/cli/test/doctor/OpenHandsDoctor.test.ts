import { assert, describe, it } from "@effect/vitest"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import * as ProbeTurn from "@opensymphony/adapters-openhands/operator/ProbeTurn"
import * as ServerAccess from "@opensymphony/adapters-openhands/operator/ServerAccess"
import { TurnScript } from "@opensymphony/adapters-openhands/testing"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import * as ConversationWorkflow from "../../src/debug/ConversationWorkflow.ts"
import * as Scene from "../debug/Scene.ts"
import { examine } from "../../src/doctor/DoctorProgram.ts"

const ready: Scene.SceneOptions["server"] = { scripts: [{ match: "ready", steps: [TurnScript.say("ready")] }] }

interface Case extends Scene.SceneOptions {
  readonly probe?: boolean
  readonly prepare?: (scene: Scene.Scene) => Effect.Effect<unknown, any, any>
}

const test = (
  name: string,
  { prepare = () => Effect.void, probe = true, ...options }: Case,
  body: (shown: Scene.Shown, scene: Scene.Scene) => void
) =>
  it.live(
    name,
    () =>
      Effect.gen(function* () {
        const scene = yield* Scene.make({ ...options, server: { ...ready, ...options.server } })
        yield* prepare(scene)
        const shown = yield* Scene.shownBy(examine({ workflow: scene.workflow, probe }, scene.environment))
        for (const secret of [Scene.modelKey, Scene.sessionKey]) assert.notInclude(shown.lines.join("\n"), secret)
        body(shown, scene)
      }).pipe(Effect.scoped, Effect.provide(Scene.platform)) as Effect.Effect<void>
  )

const finds = (name: string, options: Case, expected: RegExp, expectedStatus: number) =>
  test(name, options, ({ lines, status }) => {
    assert.isTrue(
      lines.some((line) => expected.test(line)),
      lines.join("\n")
    )
    assert.strictEqual(status, expectedStatus)
  })

describe("opensymphony doctor with OpenHands", () => {
  finds(
    "tries a whole turn",
    {},
    /^PASS {2}model .*demo\/model did a whole turn in \d+\.\d s and said "ready" \(\d+ /,
    0
  )
  test("leaves no conversation behind", {}, (_, { server }) => {
    assert.deepStrictEqual(server.conversations(), [])
    assert.isTrue(server.requests().some(({ method }) => method === "DELETE"))
  })
  test("gives the agent of the probe nothing to do anything with", {}, (_, { server }) => {
    const create = server.requests().find(({ method, path }) => method === "POST" && path === "/api/conversations")
    const { agent, max_iterations } = JSON.parse(create?.body ?? "{}")
    assert.deepStrictEqual([agent.tools, agent.condenser, agent.mcp_config], [[], null, undefined])
    assert.isBelow(max_iterations, 10)
  })
  test("spends nothing with --no-probe", { probe: false }, ({ lines, status }, { server }) => {
    assert.isTrue(lines.some((line) => /^SKIP {2}model .*--no-probe/.test(line)))
    assert.strictEqual(status, 0)
    assert.isFalse(server.requests().some(({ method }) => method !== "GET"))
  })

  finds("names the version", {}, /^PASS {2}openhands .*version 1\.57\.0 is supported/, 0)
  finds(
    "refuses a version that is too old",
    { server: { version: "1.20.0" } },
    /^FAIL {2}openhands .*1\.20\.0.*opensymphony install openhands/,
    1
  )
  finds(
    "warns of a version that is newer than what was tried",
    { server: { version: "1.99.0" } },
    /^WARN {2}openhands .*1\.99\.0/,
    0
  )
  finds(
    "tells a key that the server refuses",
    { server: { ...ready, apiKeys: ["another-session-key"] } },
    /^FAIL {2}openhands .*refuses the session key .*check the key in SESSION_KEY/,
    1
  )
  finds(
    "warns of a server that asks nobody for its key",
    { server: { ...ready, apiKeys: [] } },
    /^WARN {2}openhands .*answers without the key too/,
    0
  )
  finds(
    "tells a server that does not answer",
    { prepare: ({ server }) => Effect.promise(server.stop) },
    /^FAIL {2}openhands .*nobody listens there; check that it runs/,
    1
  )
  finds(
    "tells a model's key that is refused, and which variable holds it",
    { server: { ...ready, llmKeys: ["another-model-key"] } },
    /^FAIL {2}model .*LLMAuthenticationError.*MODEL_KEY/,
    1
  )
  finds(
    "tells why a turn broke",
    { server: { scripts: [{ steps: [TurnScript.fail("LLMServiceUnavailableError", "no model there")] }] } },
    /^FAIL {2}model .*no model there/,
    1
  )
  finds(
    "says how to install what is not installed",
    { runtime: "openhands: {conversation: {agent: {llm: {model: demo/model, api_key_env: MODEL_KEY}}}}" },
    /^FAIL {2}openhands .*cannot be looked for, because neither HOME nor XDG_DATA_HOME is set/,
    1
  )
  finds(
    "says what to run where nothing is installed",
    {
      runtime: "openhands: {conversation: {agent: {llm: {model: demo/model, api_key_env: MODEL_KEY}}}}",
      environment: { HOME: "/nonexistent" }
    },
    /^FAIL {2}openhands .*is not installed; run `opensymphony install openhands`/,
    1
  )
  finds(
    "probes a server that an orchestrator uses just now",
    { prepare: ({ root, workflow }) => RootLock.acquire({ root, workflowPath: workflow }) },
    /^PASS {2}model /,
    0
  )
})

describe("a probe that is not answered", () => {
  it.live("ends in time, and leaves no conversation behind", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make({ server: { scripts: [{ steps: [{ type: "hang" }] }] } })
      const { access: options, settings } = yield* ConversationWorkflow.load(scene.workflow, scene.environment)
      const access = yield* ServerAccess.open(options, { claimed: false })
      const { environment } = scene
      const limits = { stopTimeoutMs: 5_000, timeoutMs: 300 }
      const probe = ProbeTurn.run({ access, settings, environment, workspace: scene.directory, ...limits })
      const { message } = yield* Effect.flip(probe)
      assert.strictEqual(message, "the model gave no answer within 0.3 s")
      assert.deepStrictEqual(scene.server.conversations(), [])
    }).pipe(Effect.scoped, Effect.provide([Scene.platform, FetchHttpClient.layer]))
  )
})
