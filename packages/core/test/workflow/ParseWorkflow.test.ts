import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { defaults } from "../../src/domain/Policy.ts"
import { policyOf } from "../../src/workflow/Workflow.ts"
import { accept, minimal, read, rendered } from "./ReadWorkflow.ts"

describe("a good workflow", () => {
  it("has every default filled in", () => {
    const { prompt, ...workflow } = accept(minimal())
    assert.include(prompt.source.text, "{{ issue.identifier }}")
    assert.deepStrictEqual(workflow, {
      path: "/project/WORKFLOW.md",
      directory: "/project",
      tracker: {
        kind: "files",
        activeStates: ["Todo", "In Progress"],
        terminalStates: ["Done", "Closed", "Cancelled", "Canceled", "Duplicate"],
        requiredLabels: [],
        path: "/project/issues"
      },
      polling: { intervalMs: 30_000 },
      workspace: { root: "/tmp/symphony_workspaces", remove: "clean" },
      hooks: {
        afterCreate: null,
        beforeRun: null,
        afterRun: null,
        beforeRemove: null,
        timeoutMs: 60_000,
        env: []
      },
      agent: {
        maxConcurrentAgents: 10,
        maxConcurrentAgentsByState: {},
        maxTurns: 20,
        maxRetryBackoffMs: 300_000,
        stallTimeoutMs: 1_800_000,
        turnTimeoutMs: 0,
        launchTimeoutMs: 60_000,
        handoffGraceMs: 60_000,
        stopTimeoutMs: 30_000,
        shutdownTimeoutMs: 60_000
      },
      limits: {
        maxFailures: 10,
        maxIdleContinuations: 5,
        maxRunsPerIssue: 30,
        maxTokensPerIssue: 0,
        maxCostUsdPerIssue: 0,
        maxTokensPerDay: 0,
        maxCostUsdPerDay: 0
      },
      runtime: { kind: "command" },
      command: { run: "./agent.sh", env: [] },
      openhands: null
    })
  })

  it("sets every key of the reference", () => {
    const { prompt, ...workflow } = accept(`---
tracker:
  kind: files
  path: board
  active_states: [Ready]
  terminal_states: [Shipped, " Dropped "]
  required_labels: [Agent, ""]
polling: {interval_ms: 1}
workspace: {root: work, remove: never}
hooks:
  after_create: |
    git clone x .
  before_run: a
  after_run: b
  before_remove: c
  timeout_ms: 2
  env: [GITHUB_TOKEN]
agent:
  max_concurrent_agents: 3
  max_concurrent_agents_by_state: {" In Review ": 4}
  max_turns: 5
  max_retry_backoff_ms: 6
  stall_timeout_ms: -7
  turn_timeout_ms: 8
  launch_timeout_ms: 9
  handoff_grace_ms: 0
  stop_timeout_ms: 10
  shutdown_timeout_ms: 11
limits:
  max_failures: 12
  max_idle_continuations: 13
  max_runs_per_issue: 14
  max_tokens_per_issue: 15
  max_cost_usd_per_issue: 1.5
  max_tokens_per_day: 16
  max_cost_usd_per_day: 2.25
runtime: {kind: command}
command: {run: agent --go, env: [MODEL_KEY]}
---
Do {{ issue.title }}.
`)
    assert.strictEqual(prompt.source.text, "Do {{ issue.title }}.")
    assert.deepStrictEqual(workflow.tracker, {
      kind: "files",
      activeStates: ["Ready"],
      terminalStates: ["Shipped", "Dropped"],
      requiredLabels: ["Agent", ""],
      path: "/project/board"
    })
    assert.deepStrictEqual(workflow.hooks, {
      afterCreate: "git clone x .\n",
      beforeRun: "a",
      afterRun: "b",
      beforeRemove: "c",
      timeoutMs: 2,
      env: ["GITHUB_TOKEN"]
    })
    assert.deepStrictEqual(workflow.workspace, { root: "/project/work", remove: "never" })
    assert.deepStrictEqual(workflow.command, { run: "agent --go", env: ["MODEL_KEY"] })
    assert.deepStrictEqual(policyOf({ ...workflow, prompt }), {
      activeStates: ["ready"],
      terminalStates: ["shipped", "dropped"],
      requiredLabels: ["agent", ""],
      pollIntervalMs: 1,
      maxConcurrentAgents: 3,
      maxConcurrentAgentsByState: { "in review": 4 },
      maxTurns: 5,
      maxRetryBackoffMs: 6,
      stallTimeoutMs: 0,
      turnTimeoutMs: 8,
      launchTimeoutMs: 9,
      handoffGraceMs: 0,
      stopTimeoutMs: 10,
      shutdownTimeoutMs: 11,
      workspaceTimeoutMs: 60_004,
      maxFailures: 12,
      maxIdleContinuations: 13,
      maxRunsPerIssue: 14,
      maxTokensPerIssue: 15,
      maxCostUsdPerIssue: 1.5,
      maxTokensPerDay: 16,
      maxCostUsdPerDay: 2.25
    })
  })

  it("has the default policy, but for the longer silence of a command", () => {
    assert.deepStrictEqual(policyOf(accept(minimal())), { ...defaults, stallTimeoutMs: 1_800_000 })
  })

  it("treats a key with nothing behind it as not given", () => {
    const workflow = accept(minimal("agent:\n  max_turns:\nhooks:\npolling: ~\n"))
    assert.strictEqual(workflow.agent.maxTurns, 20)
    assert.strictEqual(workflow.hooks.timeoutMs, 60_000)
  })

  it("may use YAML aliases", () => {
    const workflow = accept(minimal("hooks:\n  before_run: &script make check\n  after_run: *script\n"))
    assert.strictEqual(workflow.hooks.afterRun, "make check")
  })
})

describe("OpenSymphony's dialect", () => {
  const openhands = "---\ntracker: {kind: files}\nopenhands:\n  conversation: {max_iterations: 7}\n---\n"
  const kinds = { knownRuntimeKinds: ["command", "openhands"] } as const

  it("reads the openhands section and keeps the shorter silence", () => {
    const workflow = accept(openhands, kinds)
    assert.strictEqual(workflow.openhands?.conversation.maxIterations, 7)
    assert.deepStrictEqual([workflow.runtime.kind, workflow.command], ["openhands", null])
    assert.strictEqual(workflow.agent.stallTimeoutMs, 300_000)
  })

  it("accepts the section of a runtime that is not in use whole", () => {
    const text = openhands.replace("openhands:", "runtime: {kind: openhands}\ncommand: {runn: 3}\nopenhands:")
    assert.strictEqual(accept(text, kinds).command, null)
  })

  it("accepts an openhands section of any shape when the runtime is another one", () => {
    const text = openhands.replace("openhands:", "runtime: {kind: command}\ncommand: {run: a}\nopenhands:")
    const workflow = accept(text.replace("{max_iterations: 7}", "[no, such: thing]"), kinds)
    assert.isNull(workflow.openhands)
  })

  it("runs openhands when no runtime is named", () => {
    assert.strictEqual(accept("---\ntracker: {kind: files}\n---\n", kinds).runtime.kind, "openhands")
  })

  it("reads Linear's settings from the tracker section", () => {
    const front = "tracker: {kind: Linear, endpoint: 'https://l.test/q', api_key: abc, project_slug: p-1, assignee: me}"
    const { tracker } = accept(`---\n${front}\ncommand: {run: a}\n---\n`, { knownTrackerKinds: ["linear"] })
    if (tracker.kind !== "linear") throw new Error("not linear")
    const { apiKey, endpoint, projectSlug, assignee } = tracker
    assert.deepStrictEqual(
      [Redacted.value(apiKey), endpoint, projectSlug, assignee],
      ["abc", "https://l.test/q", "p-1", "me"]
    )
  })
})

describe("the Symphony specification's dialect", () => {
  it("loads with the runtime named, a mapped silence limit and one warning for the server", () => {
    const parsed = read(`---
tracker:
  kind: files
  provider: {path: board}
  required_labels: [agent]
codex:
  command: codex app-server
  approval_policy: {reject: {rules: true}}
  stall_timeout_ms: 1234
  turn_timeout_ms: not looked at
server:
  port: 4000
runtime: {kind: command}
command: {run: a}
---
`)
    assert.deepStrictEqual(rendered(parsed), [
      "warning /project/WORKFLOW.md:11:1: server: is ignored, because this build has no control plane; remove the section to silence this"
    ])
    assert.strictEqual(parsed.workflow?.agent.stallTimeoutMs, 1234)
    assert.strictEqual(parsed.workflow?.agent.turnTimeoutMs, 0)
    assert.deepStrictEqual(parsed.workflow?.tracker.kind === "files" && parsed.workflow.tracker.path, "/project/board")
  })

  it("prefers agent.stall_timeout_ms over the one of codex", () => {
    const workflow = accept(
      minimal("runtime: {kind: command}\ncodex: {stall_timeout_ms: 1}\nagent: {stall_timeout_ms: 2}\n")
    )
    assert.strictEqual(workflow.agent.stallTimeoutMs, 2)
  })

  it("reads Linear's settings from tracker.provider", () => {
    const front = "tracker: {kind: linear, provider: {api_key: abc, project_slug: p-1}}"
    const { tracker } = accept(`---\n${front}\ncommand: {run: a}\n---\n`, { knownTrackerKinds: ["linear"] })
    if (tracker.kind !== "linear") throw new Error("not linear")
    assert.deepStrictEqual([Redacted.value(tracker.apiKey), tracker.projectSlug], ["abc", "p-1"])
    assert.strictEqual(tracker.endpoint, "https://api.linear.app/graphql")
  })

  it("refuses a setting in both places", () => {
    const parsed = read("---\ntracker: {kind: files, path: a, provider: {path: b}}\ncommand: {run: a}\n---\n")
    assert.deepStrictEqual(rendered(parsed), [
      "error /project/WORKFLOW.md:2:44: tracker.provider.path: is given twice, as tracker.path too; keep one"
    ])
  })
})

describe("hooks and commands that expect more environment than they get", () => {
  const environment = { GITHUB_TOKEN: "secret-1", MODEL_KEY: "secret-2", OPENSYMPHONY_TURN: "1", EMPTY: "" }

  it("are warned about, with the key to add", () => {
    const text = minimal("hooks:\n  before_run: echo $GITHUB_TOKEN $EMPTY $UNSET $OPENSYMPHONY_TURN\n").replace(
      "./agent.sh",
      "agent ${MODEL_KEY:-none}"
    )
    assert.deepStrictEqual(rendered(read(text, { environment })), [
      "warning /project/WORKFLOW.md:5:3: command.run: mentions MODEL_KEY, which is set here but not passed on; add MODEL_KEY to command.env",
      "warning /project/WORKFLOW.md:7:3: hooks.before_run: mentions GITHUB_TOKEN, which is set here but not passed on; add GITHUB_TOKEN to hooks.env"
    ])
  })

  it("are not once the workflow passes it", () => {
    accept(minimal("hooks:\n  env: [GITHUB_TOKEN]\n  before_run: echo $GITHUB_TOKEN\n"), { environment })
  })
})
