import { assert, describe, it } from "@effect/vitest"
import type { ToolServer } from "@opensymphony/core/ports/AgentTools"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import { Effect, Redacted } from "effect"
import * as AgentProfile from "../../src/session/AgentProfile.ts"
import * as Scene from "../runtime/Scene.ts"

const tool: ToolServer = {
  name: "linear",
  url: "http://127.0.0.1:7/mcp",
  token: Redacted.make("token-of-one-run"),
  bridge: { command: "/usr/bin/opensymphony", args: ["mcp", "linear"] }
}
const place = { conversation: "c-1", workspace: "/srv/issues/ABC-1", tools: [tool] }

const request = (settings: OpenHandsSettings, at: AgentProfile.Place = place, environment = Scene.environment) =>
  Effect.map(AgentProfile.resolve(settings, environment), (profile) => {
    const { agent, ...limits } = profile.request(at)
    return { limits, agent: agent as { readonly [key: string]: unknown } }
  })

describe("AgentProfile", () => {
  it.effect("describes the agent as the server wants it", () =>
    Effect.gen(function* () {
      const { agent, limits } = yield* request(Scene.settings)
      const llm = { num_retries: 0, model: "openai/scripted", api_key: Scene.apiKey, usage_id: "agent" }
      assert.deepStrictEqual(limits, {
        max_iterations: 50,
        stuck_detection: true,
        confirmation_policy: { kind: "NeverConfirm" }
      })
      assert.deepStrictEqual(agent["llm"], llm)
      assert.deepStrictEqual(agent["condenser"], {
        kind: "LLMSummarizingCondenser",
        max_size: 240,
        keep_first: 2,
        llm: { ...llm, usage_id: "condenser" }
      })
    })
  )

  it.effect("marks what the terminal starts with the conversation", () =>
    Effect.gen(function* () {
      const params = { terminal_type: "subprocess", env: { A: "b" } }
      const { agent } = yield* request(Scene.withAgent({ tools: [{ name: "terminal", params }] }))
      const env = { A: "b", OPENSYMPHONY_CONVERSATION: "c-1" }
      assert.deepStrictEqual(agent["tools"], [{ name: "terminal", params: { ...params, env } }])
    })
  )

  it.effect("gives a conversation that outlives its run the bridge to the run's tools, never a token", () =>
    Effect.gen(function* () {
      const { agent } = yield* request(Scene.settings)
      assert.deepStrictEqual(agent["mcp_config"], {
        linear: { command: "/usr/bin/opensymphony", args: ["mcp", "linear"], cwd: "/srv/issues/ABC-1" }
      })
    })
  )

  it.effect("leaves tools without a bridge out of such a conversation, and names them", () =>
    Effect.gen(function* () {
      const tools = [{ ...tool, bridge: null }]
      const { agent } = yield* request(Scene.settings, { ...place, tools })
      assert.notProperty(agent, "mcp_config")
      assert.deepStrictEqual(AgentProfile.toolsLeftOut(Scene.settings, tools), ["linear"])
    })
  )

  it.effect("gives a conversation of one run the run's own tools", () =>
    Effect.gen(function* () {
      const settings = Scene.withConversation({ reusePolicy: "fresh_each_run" })
      const { agent } = yield* request(settings, { ...place, tools: [{ ...tool, bridge: null }] })
      assert.deepStrictEqual(agent["mcp_config"], {
        linear: { url: tool.url, transport: "http", headers: { Authorization: "Bearer token-of-one-run" } }
      })
    })
  )

  it.effect("looks up the secrets of MCP servers by their names", () =>
    Effect.gen(function* () {
      const settings: OpenHandsSettings = {
        ...Scene.settings,
        mcp: {
          servers: [
            {
              kind: "stdio",
              name: "search",
              command: "search-mcp",
              args: ["-v"],
              env: { KEY: { kind: "variable", name: "SEARCH_KEY" }, MODE: { kind: "text", text: "fast" } },
              cwd: null
            },
            {
              kind: "remote",
              name: "docs",
              url: "https://docs.example/mcp",
              transport: "http",
              headers: {},
              bearerTokenEnv: "DOCS_TOKEN"
            }
          ]
        }
      }
      const environment = { ...Scene.environment, SEARCH_KEY: "s", DOCS_TOKEN: "d" }
      const { agent } = yield* request(settings, { ...place, tools: [] }, environment)
      assert.deepStrictEqual(agent["mcp_config"], {
        search: { command: "search-mcp", args: ["-v"], env: { KEY: "s", MODE: "fast" } },
        docs: { url: "https://docs.example/mcp", transport: "http", headers: { Authorization: "Bearer d" } }
      })
      const error = yield* Effect.flip(request(settings))
      assert.include(error.message, "SEARCH_KEY")
      assert.include(error.message, "DOCS_TOKEN")
    })
  )

  it.effect("has the same fingerprints for the same settings in another order", () =>
    Effect.gen(function* () {
      const { llm } = Scene.settings.conversation.agent
      const fingerprints = Effect.fnUntraced(function* (options: { readonly [name: string]: unknown }) {
        const settings = Scene.withAgent({ llm: { ...llm, options } })
        return yield* (yield* AgentProfile.resolve(settings, Scene.environment)).fingerprints(place)
      })
      const one = yield* fingerprints({ temperature: 0, timeout: 20 })
      assert.deepStrictEqual(yield* fingerprints({ timeout: 20, temperature: 0 }), one)
      assert.notStrictEqual((yield* fingerprints({ temperature: 1, timeout: 20 })).llm, one.llm)
      assert.strictEqual((yield* fingerprints({ temperature: 1, timeout: 20 })).agent, one.agent)
    })
  )
})
