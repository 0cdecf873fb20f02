import { assert, describe, it } from "@effect/vitest"
import { problems } from "./ReadOpenHands.ts"

/** A section, and what is said about it. */
const bad: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["[]", ["error 1 openhands: must be a section; put its keys, indented, on lines of their own"]],
  ["{transprt: {}}", ["warning 2 openhands.transprt: unknown key, ignored; did you mean transport?"]],
  [
    "{transport: {base_ulr: a}}",
    ["warning 14 openhands.transport.base_ulr: unknown key, ignored; did you mean base_url?"]
  ],
  [
    "{transport: {base_url: 'ftp://a'}}",
    [
      "error 24 openhands.transport.base_url: is no http or https address; write it in full, such as https://agents.example.org"
    ]
  ],
  [
    "{transport: {base_url: 'https://'}}",
    ["error 24 openhands.transport.base_url: names no host, or one that cannot be; write it as http://host:port"]
  ],
  [
    "{transport: {base_url: 'http://127.0.0.1:99999'}}",
    ["error 24 openhands.transport.base_url: has a port that cannot be; write one from 1 to 65535"]
  ],
  [
    "{transport: {base_url: 'http://127.0.0.1:80?a=b'}}",
    ["error 24 openhands.transport.base_url: has a query or fragment; remove what follows ? or #"]
  ],
  [
    "{transport: {base_url: $NOWHERE}}",
    [
      "error 24 openhands.transport.base_url: the environment variable NOWHERE is not set, or empty; set it before starting, or change this value"
    ]
  ],
  [
    "{transport: {base_url: 'https://agents.test'}}",
    [
      "error 24 openhands.transport.session_api_key_env: is missing, and a server on another machine needs one; write the name of the variable with its session key"
    ]
  ],
  [
    "{transport: {session_api_key_env: NOT_SET}, websocket: {auth_mode: header}}",
    [
      "error 35 openhands.transport.session_api_key_env: the environment variable NOT_SET is not set, or empty; set it before starting, or change this value"
    ]
  ],
  [
    "{transport: {session_api_key_env: $KEY}}",
    [
      "error 35 openhands.transport.session_api_key_env: must be the name of an environment variable; write NAME, without $ and value"
    ]
  ],
  [
    "{transport: {session_api_key_env: KEY}, local_server: {command: [a]}}",
    [
      "error 56 openhands.local_server.command: is of no use, because no server is started: openhands.transport.session_api_key_env belongs to a server that runs already; remove one of the two"
    ]
  ],
  [
    "{transport: {base_url: 'https://127.0.0.1/path', session_api_key_env: KEY}, local_server: {command: [a]}}",
    [
      "error 92 openhands.local_server.command: is of no use, because no server is started: openhands.transport.base_url is https; remove one of the two"
    ]
  ],
  [
    "{local_server: {enabled: false, command: [a]}}",
    [
      "error 33 openhands.local_server.command: is of no use, because no server is started: openhands.local_server.enabled is false; remove one of the two"
    ]
  ],
  [
    "{transport: {session_api_key_env: KEY}, local_server: {enabled: true}}",
    [
      "warning 56 openhands.local_server.enabled: has no effect, because openhands.transport.session_api_key_env belongs to a server that runs already; remove one of the two"
    ]
  ],
  [
    "{local_server: {enabled: 'yes'}}",
    [
      'error 26 openhands.local_server.enabled: must be true or false, but is the text "yes"; write one of them without quotes'
    ]
  ],
  [
    "{local_server: {command: []}}",
    ["error 26 openhands.local_server.command: is empty; name a program, or remove the line for the installed server"]
  ],
  [
    "{local_server: {command: [a, ' ']}}",
    ["error 30 openhands.local_server.command[1]: is blank; write something or remove the line"]
  ],
  [
    "{local_server: {readiness_probe_path: ready}}",
    [
      'error 39 openhands.local_server.readiness_probe_path: must be a path that begins with /, but is the text "ready"; write /ready'
    ]
  ],
  [
    "{local_server: {env: {TZ: Europe/Paris, OH_SECRET_KEY: $KEY}}}",
    [
      "error 23 openhands.local_server.env.TZ: is set by opensymphony for its own server; remove the line",
      "error 41 openhands.local_server.env.OH_SECRET_KEY: is set by opensymphony for its own server; remove the line"
    ]
  ],
  [
    "{local_server: {env: {GITHUB_TOKEN: ghp_abc, 'A B': c, D: [e]}}}",
    [
      "error 37 openhands.local_server.env.GITHUB_TOKEN: is a credential by its name and must not stand in this file; put it into the environment and write $NAME",
      "error 46 openhands.local_server.env.A B: is no name of an environment variable; write another name",
      "error 59 openhands.local_server.env.D: must be text; write it behind the key"
    ]
  ],
  [
    "{conversation: {reuse_policy: per_isue}}",
    [
      'error 31 openhands.conversation.reuse_policy: must be one of per_issue, fresh_each_run, but is the text "per_isue"; did you mean per_issue?'
    ]
  ],
  ...["/abs", "~/x", "a/../..", "../a", "."].map(
    (path) =>
      [
        `{conversation: {persistence_dir_relative: '${path}'}}`,
        [
          "warning 17 openhands.conversation.persistence_dir_relative: has no effect, because the server keeps conversations in its own directory; remove the line",
          "error 43 openhands.conversation.persistence_dir_relative: must be a directory inside the workspace; write a relative path that does not lead out of it"
        ]
      ] as const
  ),
  [
    "{conversation: {persistence_dir_relative: a/b}}",
    [
      "warning 17 openhands.conversation.persistence_dir_relative: has no effect, because the server keeps conversations in its own directory; remove the line"
    ]
  ],
  [
    "{conversation: {max_iterations: 0}}",
    [
      "error 33 openhands.conversation.max_iterations: must be a whole number above 0, but is 0; change it, or remove the line for the default"
    ]
  ],
  [
    "{conversation: {confirmation_policy: {kind: neverconfirm, extra: 1}}}",
    [
      'error 45 openhands.conversation.confirmation_policy.kind: must be one of NeverConfirm, AlwaysConfirm, ConfirmRisky, but is the text "neverconfirm"; did you mean NeverConfirm?',
      "warning 59 openhands.conversation.confirmation_policy.extra: unknown key, ignored; known here: kind"
    ]
  ],
  [
    "{conversation: {agent: {llm: {temperature: 1}}}}",
    [
      "error 25 openhands.conversation.agent.llm.model: is missing; write the model as litellm names it, such as openai/gpt-5.4 or anthropic/claude-sonnet-5"
    ]
  ],
  [
    "{conversation: {agent: {llm: {model: m, api_key: sk-123}}}}",
    [
      "error 41 openhands.conversation.agent.llm.api_key: is a secret and must not stand in this file; put it into the environment and write api_key_env: NAME"
    ]
  ],
  [
    "{conversation: {agent: {llm: {model: m, temprature: 1, litellm_extra_body: {a: {apiKey: sk-1}}}}}}",
    [
      "warning 41 openhands.conversation.agent.llm.temprature: unknown key, ignored; did you mean temperature?",
      "error 89 openhands.conversation.agent.llm.litellm_extra_body.a.apiKey: is a credential by its name and must not stand in this file; see docs/openhands.md for where it goes"
    ]
  ],
  [
    "{conversation: {agent: {llm: {model: m, base_url: 'https://a.test', base_url_env: KEY}}}}",
    ["error 69 openhands.conversation.agent.llm.base_url_env: is given beside base_url; keep one"]
  ],
  [
    "{conversation: {agent: {condenser: {max_size: 10, keep_first: 4}}}}",
    [
      "error 63 openhands.conversation.agent.condenser.keep_first: must be below half of max_size (10) less one; lower it, or raise max_size"
    ]
  ],
  [
    "{conversation: {agent: {tools: [{params: {}}, 5, {name: terminal, prams: {}}]}}}",
    [
      "error 33 openhands.conversation.agent.tools[0].name: is missing; write the name of a tool, such as terminal",
      "error 47 openhands.conversation.agent.tools[1]: must be a tool, but is 5; write a name, or `{name: terminal, params: {...}}`",
      "warning 67 openhands.conversation.agent.tools[2].prams: unknown key, ignored; did you mean params?"
    ]
  ],
  [
    "{websocket: {auth_mode: header}}",
    [
      "error 25 openhands.websocket.auth_mode: needs a key to send; add openhands.transport.session_api_key_env, or write auto"
    ]
  ],
  [
    "{websocket: {reconnect_initial_ms: 5000, reconnect_max_ms: 100}}",
    [
      "error 60 openhands.websocket.reconnect_max_ms: is below reconnect_initial_ms (5000); raise it, or lower the other"
    ]
  ],
  [
    "{mcp: {servers: {a: {}, b: {url: 'https://b.test', command: c}, 'd e': {command: f}, g: 1}}}",
    [
      "error 21 openhands.mcp.servers.a: has neither command nor url; add one",
      "error 28 openhands.mcp.servers.b: has both a command and a url; keep one",
      "error 65 openhands.mcp.servers.d e: is no name for a server; use up to 64 letters, digits, _ and -",
      "error 89 openhands.mcp.servers.g: must be a map, but is 1; put its keys on lines below it"
    ]
  ],
  [
    "{mcp: {servers: {a: {command: b}}, stdio_servers: [{name: a, command: [c]}, {name: d, command: []}]}}",
    [
      "error 52 openhands.mcp.stdio_servers[0].name: is the name of another server too; give each its own",
      "error 77 openhands.mcp.stdio_servers[1].command: is empty; write [program, --flag]"
    ]
  ],
  [
    "{mcp: {servers: {a: {url: 'https://b.test', bearer_token_env: KEY, headers: {authorization: $KEY}}}}}",
    ["error 45 openhands.mcp.servers.a.bearer_token_env: is given beside a header Authorization; keep one"]
  ]
]

describe("a bad openhands section", () => {
  it.each(bad)("%s", (section, expected) => {
    assert.deepStrictEqual(problems(section, { KEY: "key-value" }), expected)
  })

  it("tells of a plain address on another machine and of its missing key at once", () => {
    assert.deepStrictEqual(problems("{transport: {base_url: 'http://10.0.0.7:8000'}}"), [
      "error 24 openhands.transport.base_url: must be https for a server on another machine: the key and the prompts would be readable on the way; write https://, or forward the port to this machine and write http://127.0.0.1:PORT",
      "error 24 openhands.transport.session_api_key_env: is missing, and a server on another machine needs one; write the name of the variable with its session key"
    ])
  })

  it("has no remote server without a key when the key's name is blank", () => {
    const said = problems("{transport: {base_url: 'https://agents.test', session_api_key_env: ''}}")
    assert.lengthOf(said, 1)
  })

  it("does not repeat a password from an address", () => {
    const said = problems("{transport: {base_url: 'https://me:hunter22@agents.test'}}").join("\n")
    assert.include(said, "carries a user or password")
    assert.notInclude(said, "hunter22")
  })

  it("does not repeat a secret that was written into it", () => {
    const said = problems("{conversation: {agent: {llm: {model: m, api_key: sk-hunter22}}}}").join("\n")
    assert.notInclude(said, "hunter22")
  })
})
