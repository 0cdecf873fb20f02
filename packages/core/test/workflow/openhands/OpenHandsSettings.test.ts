import { assert, describe, it } from "@effect/vitest"
import { variablesOf } from "../../../src/workflow/OpenHandsSettings.ts"
import { read } from "../ReadWorkflow.ts"
import { accept } from "./ReadOpenHands.ts"

describe("an openhands section", () => {
  it("need not be there: a server is started on a free port", () => {
    assert.deepStrictEqual(accept("{}"), {
      transport: { baseUrl: "http://127.0.0.1", port: null, sessionKeyEnv: null },
      localServer: { managed: true, command: null, env: {}, startupTimeoutMs: 120_000, readinessProbePath: "/ready" },
      conversation: {
        reusePolicy: "per_issue",
        persistenceDirRelative: ".opensymphony/openhands",
        maxIterations: 500,
        stuckDetection: true,
        confirmationPolicy: { kind: "NeverConfirm", options: {} },
        agent: {
          kind: "Agent",
          llm: { model: "openai/gpt-5.4", apiKeyEnv: null, baseUrlEnv: null, secretEnvs: {}, options: {} },
          condenser: { maxSize: 240, keepFirst: 2, maxTokens: null },
          tools: [
            { name: "terminal", params: {} },
            { name: "file_editor", params: {} }
          ],
          includeDefaultTools: null,
          options: {}
        }
      },
      websocket: {
        enabled: true,
        readyTimeoutMs: 30_000,
        reconnectInitialMs: 1_000,
        reconnectMaxMs: 30_000,
        authMode: "auto",
        queryParamName: "session_api_key"
      },
      mcp: { servers: [] }
    })
  })

  it("takes every key, those included that the Rust program refuses", () => {
    const settings = accept(
      `{
        transport: {base_url: "http://localhost:9001"},
        local_server: {
          enabled: true, command: [agent-server, --verbose], startup_timeout_ms: 5000, readiness_probe_path: /openapi.json,
          env: {PLAIN: yes, NUMBER: 3, GITHUB_TOKEN: $GH}
        },
        conversation: {
          reuse_policy: Fresh_Each_Run, max_iterations: 9, stuck_detection: false,
          confirmation_policy: {kind: ConfirmRisky, threshold: HIGH, confirm_unknown: false},
          agent: {
            kind: Agent,
            llm: {
              model: openai/scripted, api_key_env: KEY, base_url_env: BASE, temperature: 0.2, num_retries: 0,
              aws_secret_access_key_env: AWS, options: {brand_new_field: [1]}
            },
            condenser: {enabled: true, max_size: 80, keep_first: 4, max_tokens: 90000},
            tools: [task_tracker, {name: terminal, params: {terminal_type: subprocess}}],
            include_default_tools: [FinishTool],
            filter_tools_regex: "^t", system_prompt_kwargs: {cli_mode: true}
          }
        },
        websocket: {enabled: false, ready_timeout_ms: 1, reconnect_initial_ms: 2, reconnect_max_ms: 3, query_param_name: k},
        mcp: {stdio_servers: [{name: files, command: [mcp-files, --root, .]}]}
      }`.replaceAll(/\s*\n\s*/g, " "),
      { GH: "ghp_1", KEY: "k", BASE: "http://127.0.0.1:1/v1", AWS: "a" }
    )
    assert.deepStrictEqual(settings, {
      transport: { baseUrl: "http://localhost:9001", port: 9001, sessionKeyEnv: null },
      localServer: {
        managed: true,
        command: ["agent-server", "--verbose"],
        env: {
          PLAIN: { kind: "text", text: "yes" },
          NUMBER: { kind: "text", text: "3" },
          GITHUB_TOKEN: { kind: "variable", name: "GH" }
        },
        startupTimeoutMs: 5_000,
        readinessProbePath: "/openapi.json"
      },
      conversation: {
        reusePolicy: "fresh_each_run",
        persistenceDirRelative: ".opensymphony/openhands",
        maxIterations: 9,
        stuckDetection: false,
        confirmationPolicy: { kind: "ConfirmRisky", options: { threshold: "HIGH", confirm_unknown: false } },
        agent: {
          kind: "Agent",
          llm: {
            model: "openai/scripted",
            apiKeyEnv: "KEY",
            baseUrlEnv: "BASE",
            secretEnvs: { aws_secret_access_key: "AWS" },
            options: { temperature: 0.2, num_retries: 0, brand_new_field: [1] }
          },
          condenser: { maxSize: 80, keepFirst: 4, maxTokens: 90_000 },
          tools: [
            { name: "task_tracker", params: {} },
            { name: "terminal", params: { terminal_type: "subprocess" } }
          ],
          includeDefaultTools: ["FinishTool"],
          options: { filter_tools_regex: "^t", system_prompt_kwargs: { cli_mode: true } }
        }
      },
      websocket: {
        enabled: false,
        readyTimeoutMs: 1,
        reconnectInitialMs: 2,
        reconnectMaxMs: 3,
        authMode: "auto",
        queryParamName: "k"
      },
      mcp: {
        servers: [{ kind: "stdio", name: "files", command: "mcp-files", args: ["--root", "."], env: {}, cwd: null }]
      }
    })
  })
})

describe("the server that a workflow means", () => {
  const remote = (transport: string) => accept(`{transport: {${transport}}}`, { KEY: "k" })

  it.each([
    ["base_url: 'http://127.0.0.1'", "http://127.0.0.1", null],
    ["base_url: 'http://127.8.9.1:7000'", "http://127.8.9.1:7000", 7000],
    ["base_url: 'HTTP://LocalHost:81/some/path/'", "http://localhost:81", 81],
    ["base_url: 'http://[::1]:7000'", "http://[::1]:7000", 7000]
  ])("is started here with %s, without a path", (transport, baseUrl, port) => {
    const settings = remote(transport)
    assert.deepStrictEqual(
      [settings.localServer.managed, settings.transport.baseUrl, settings.transport.port],
      [true, baseUrl, port]
    )
  })

  it.each([
    ["base_url: 'https://agents.test/base//', session_api_key_env: KEY", "https://agents.test/base"],
    ["base_url: 'https://127.0.0.1:7000'", "https://127.0.0.1:7000"],
    ["base_url: 'http://127.0.0.1:7000/base', session_api_key_env: KEY", "http://127.0.0.1:7000/base"],
    ["session_api_key_env: KEY", "http://127.0.0.1:8000"]
  ])("runs elsewhere with %s", (transport, baseUrl) => {
    const settings = remote(transport)
    assert.deepStrictEqual([settings.localServer.managed, settings.transport.baseUrl], [false, baseUrl])
  })

  it("is the usual one when none is to be started", () => {
    const { localServer, transport } = accept("{local_server: {enabled: false}}")
    assert.deepStrictEqual([localServer.managed, transport.baseUrl], [false, "http://127.0.0.1:8000"])
  })

  it("may be named by a variable", () => {
    const settings = accept("{transport: {base_url: $WHERE}}", { WHERE: " http://localhost:90 " })
    assert.strictEqual(settings.transport.port, 90)
  })

  it("has a key only when its name is not blank", () => {
    assert.isNull(accept("{transport: {session_api_key_env: ''}}").transport.sessionKeyEnv)
  })
})

describe("the model", () => {
  const llm = (section: string, environment = {}) =>
    accept(`{conversation: {agent: {${section}}}}`, environment).conversation.agent.llm

  it("comes from the variables that OpenHands reads where the workflow says nothing", () => {
    const environment = { LLM_MODEL: "m", LLM_API_KEY: "secret", LLM_BASE_URL: "https://m.test" }
    const { apiKeyEnv, baseUrlEnv, model } = llm("", environment)
    assert.deepStrictEqual([model, apiKeyEnv, baseUrlEnv], ["m", "LLM_API_KEY", "LLM_BASE_URL"])
  })

  it("is the workflow's where it says something", () => {
    const environment = { LLM_MODEL: "m", LLM_API_KEY: "secret", LLM_BASE_URL: "https://m.test", K: "k" }
    const { apiKeyEnv, baseUrlEnv, model, options } = llm(
      "llm: {model: x, api_key_env: K, base_url: 'https://x.test/v1'}",
      environment
    )
    assert.deepStrictEqual([model, apiKeyEnv, baseUrlEnv, options], ["x", "K", null, { base_url: "https://x.test/v1" }])
  })

  it("needs no key when the workflow says so", () => {
    assert.isNull(llm("llm: {model: ollama/x, api_key_env: ''}", { LLM_API_KEY: "secret" }).apiKeyEnv)
  })
})

describe("the agent", () => {
  const agent = (section: string) => accept(`{conversation: {agent: {${section}}}}`).conversation.agent

  it("may have no tools at all", () => {
    assert.deepStrictEqual(agent("tools: [], include_default_tools: []").tools, [])
  })

  it("may keep its whole history", () => {
    assert.isNull(agent("condenser: {enabled: false}").condenser)
  })

  it("brings its own tools and memory when it is another program", () => {
    const { condenser, options, tools } = agent("kind: ACPAgent, acp_command: [codex, acp]")
    assert.deepStrictEqual([tools, condenser, options], [[], null, { acp_command: ["codex", "acp"] }])
  })
})

describe("MCP servers", () => {
  it("are read in both forms, with secrets by name", () => {
    const { mcp } = accept(
      "{mcp: {servers: {docs: {url: 'https://mcp.test/mcp', bearer_token_env: T, headers: {X-Team: a}}, " +
        "old: {url: 'https://mcp.test/sse', transport: sse, headers: {Authorization: $T}}, " +
        "db: {command: mcp-db, args: [--ro], env: {DB_PASSWORD: $P}, cwd: sub}}}}",
      { T: "t", P: "p" }
    )
    assert.deepStrictEqual(mcp.servers, [
      {
        kind: "remote",
        name: "docs",
        url: "https://mcp.test/mcp",
        transport: "http",
        headers: { "X-Team": { kind: "text", text: "a" } },
        bearerTokenEnv: "T"
      },
      {
        kind: "remote",
        name: "old",
        url: "https://mcp.test/sse",
        transport: "sse",
        headers: { Authorization: { kind: "variable", name: "T" } },
        bearerTokenEnv: null
      },
      {
        kind: "stdio",
        name: "db",
        command: "mcp-db",
        args: ["--ro"],
        env: { DB_PASSWORD: { kind: "variable", name: "P" } },
        cwd: "sub"
      }
    ])
  })
})

describe("a persistence directory", () => {
  it("is taken with its path made plain, though with a warning", () => {
    const section = "openhands: {conversation: {persistence_dir_relative: a/./b/../c}}"
    const { workflow } = read(`---\ntracker: {kind: files}\n${section}\n---\n`, { knownRuntimeKinds: ["openhands"] })
    assert.strictEqual(workflow?.openhands?.conversation.persistenceDirRelative, "a/c")
  })
})

describe("secrets", () => {
  it("never come into the settings", () => {
    const environment = { KEY: "s3cr3t-session", LLM: "s3cr3t-llm", TOKEN: "s3cr3t-token" }
    const settings = accept(
      "{transport: {base_url: 'https://a.test', session_api_key_env: KEY}, conversation: {agent: {llm: {model: m, " +
        "api_key_env: LLM}}}, mcp: {servers: {a: {url: 'https://a.test', headers: {X-Token: $TOKEN}}}}}",
      environment
    )
    assert.notInclude(JSON.stringify(settings), "s3cr3t")
    assert.sameMembers([...variablesOf(settings)], ["KEY", "LLM", "TOKEN"])
  })
})
