import { assert, describe, it } from "@effect/vitest"
import { minimal, read, rendered } from "./ReadWorkflow.ts"

const noTracker =
  "error /project/WORKFLOW.md:1:1: tracker.kind: is missing; there are: files; write `tracker: {kind: files, path: issues}`"
const runtimeLines =
  'there are: command; add the lines `runtime: {kind: command}` and `command: {run: "your-agent --flags"}`'

/** Front matter lines after `tracker` and `command` (which take lines 2 to 5), and what is said about them. */
const bad: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["agnet:\n  max_turns: 1", ["warning 6:1: agnet: unknown key, ignored; did you mean agent?"]],
  ["agent:\n  maxTurns: 1", ["warning 7:3: agent.maxTurns: unknown key, ignored; did you mean max_turns?"]],
  ["polling: {every: 1}", ["warning 6:11: polling.every: unknown key, ignored; known here: interval_ms"]],
  [
    'agent: {max_turns: "3"}',
    ['error 6:20: agent.max_turns: must be a whole number above 0, but is the text "3"; remove the quotes']
  ],
  [
    "agent: {max_turns: 0}",
    [
      "error 6:20: agent.max_turns: must be a whole number above 0, but is 0; change it, or remove the line for the default"
    ]
  ],
  [
    "polling: {interval_ms: 30s}",
    ['error 6:24: polling.interval_ms: must be a whole number above 0, but is the text "30s"; write digits only']
  ],
  [
    "agent: {handoff_grace_ms: -1}",
    [
      "error 6:27: agent.handoff_grace_ms: must be a whole number, 0 or more, but is -1; change it, or remove the line for the default"
    ]
  ],
  [
    "agent: {stall_timeout_ms: 1.5}",
    [
      "error 6:27: agent.stall_timeout_ms: must be a whole number, but is 1.5; change it, or remove the line for the default"
    ]
  ],
  [
    "limits: {max_cost_usd_per_day: [1]}",
    ["error 6:32: limits.max_cost_usd_per_day: must be a number, 0 or more, but is a list; write digits only"]
  ],
  [
    "workspace: {remove: allways}",
    [
      'error 6:21: workspace.remove: must be one of always, clean, never, but is the text "allways"; did you mean always?'
    ]
  ],
  [
    "workspace: {remove: true}",
    ["error 6:21: workspace.remove: must be one of always, clean, never, but is true; write one of them"]
  ],
  [
    "hooks: {before_run: [ls]}",
    ["error 6:21: hooks.before_run: must be text, not a map or a list; write it behind the key"]
  ],
  ["hooks: {before_run: 5}", ["error 6:21: hooks.before_run: must be text; put the value in quotes"]],
  [
    "hooks: {env: [$TOKEN]}",
    ["error 6:15: hooks.env[0]: must be the name of an environment variable; write NAME, without $ and value"]
  ],
  [
    "hooks: {env: TOKEN}",
    ['error 6:14: hooks.env: must be a list, but is the text "TOKEN"; write it as [GITHUB_TOKEN]']
  ],
  ["hooks: make", ["error 6:8: hooks: must be a section; put its keys, indented, on lines of their own"]],
  [
    "agent: {max_concurrent_agents_by_state: {Todo: 1, ' todo': 2, Review: none}}",
    [
      "error 6:51: agent.max_concurrent_agents_by_state. todo: is given twice; keep one",
      'error 6:71: agent.max_concurrent_agents_by_state.Review: must be a whole number above 0, but is the text "none"; write digits only'
    ]
  ],
  ["agent: {max_turns: 1}\nagent: {max_turns: 2}", ["error 7:1: agent: is given twice, first on line 6; keep one"]],
  [
    "hooks: {before_run: *script}",
    ["error 6:21: hooks.before_run: the alias *script names nothing above it; define &script first"]
  ],
  [
    "x: &a [*a]",
    [
      "warning 6:1: x: unknown key, ignored; known here: tracker, polling, workspace, hooks, agent, limits, runtime, command, openhands",
      "error 6:8: x[0]: the alias *a names nothing above it; define &a first"
    ]
  ],
  [
    "runtime: {kind: comand}",
    [`error 6:17: runtime.kind: this build has no runtime "comand"; did you mean command? ${runtimeLines}`]
  ],
  ["runtime: {kind: openhands}", [`error 6:17: runtime.kind: this build has no runtime "openhands"; ${runtimeLines}`]],
  [
    "codex: {command: codex}",
    [`error 6:1: runtime.kind: is missing, and this build has no runtime for the codex section; ${runtimeLines}`]
  ],
  [
    "openhands: {}",
    [
      "error 1:1: runtime.kind: is missing, and there are sections for command and openhands; say which one with `runtime: {kind: command}`"
    ]
  ]
]

describe("a bad setting", () => {
  for (const [lines, expected] of bad) {
    it(`is reported: ${JSON.stringify(lines)}`, () => {
      const withPath = expected.map((line) => line.replace(" ", " /project/WORKFLOW.md:"))
      assert.deepStrictEqual(rendered(read(minimal(`${lines}\n`))), withPath)
    })
  }

  it("makes the workflow unusable, a warning does not", () => {
    assert.isNull(read(minimal("agent: {max_turns: 0}\n")).workflow)
    assert.isNotNull(read(minimal("agnet: {}\n")).workflow)
  })

  it("hides no other: settings and prompt are reported together, in the order of the file", () => {
    const parsed = read("---\nlimits: {max_failures: x}\nworkspace: {remove: x}\n---\n\n{{ issue.titel }}\n")
    assert.deepStrictEqual(rendered(parsed), [
      noTracker,
      `error /project/WORKFLOW.md:1:1: runtime.kind: is missing; ${runtimeLines}`,
      'error /project/WORKFLOW.md:2:24: limits.max_failures: must be a whole number, 0 or more, but is the text "x"; write digits only',
      'error /project/WORKFLOW.md:3:21: workspace.remove: must be one of always, clean, never, but is the text "x"; write one of them',
      "error /project/WORKFLOW.md:6:4: prompt: unknown variable issue.titel; did you mean issue.title?"
    ])
  })
})

describe("a missing or unknown tracker, runtime or command", () => {
  const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    [
      "no front matter at all",
      "Just a prompt",
      [noTracker, `error /project/WORKFLOW.md:1:1: runtime.kind: is missing; ${runtimeLines}`]
    ],
    [
      "a tracker without kind",
      "---\ncommand: {run: a}\ntracker:\n  path: x\n---\n",
      [noTracker.replace(":1:1:", ":3:1:")]
    ],
    [
      "a tracker this build does not have",
      "---\ntracker: {kind: linear, api_key: $NOPE}\ncommand: {run: a}\n---\n",
      [
        'error /project/WORKFLOW.md:2:17: tracker.kind: this build has no tracker "linear"; there are: files; write `tracker: {kind: files, path: issues}`'
      ]
    ],
    [
      "a command without run",
      "---\ntracker: {kind: files}\ncommand: {env: []}\n---\n",
      ["error /project/WORKFLOW.md:3:1: command.run: is missing; add the shell text that runs one turn of your agent"]
    ],
    [
      "a blank run",
      "---\ntracker: {kind: files}\ncommand: {run: '  '}\n---\n",
      ["error /project/WORKFLOW.md:3:16: command.run: is blank; write something or remove the line"]
    ],
    [
      "a runtime that only its section names",
      "---\ntracker: {kind: files}\nopenhands: {}\n---\n",
      [
        `error /project/WORKFLOW.md:3:1: runtime.kind: this build has no runtime for the openhands section; ${runtimeLines}`
      ]
    ]
  ]
  for (const [name, text, expected] of cases) {
    it(`is an error that says what to write: ${name}`, () => {
      assert.deepStrictEqual(rendered(read(text)), expected)
    })
  }
})
