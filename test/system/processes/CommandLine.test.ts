import { assert, describe, it } from "@effect/vitest"
import { type Ended, Project, workflowText } from "../Harness.ts"
import { logEntries } from "../Log.ts"

const idle = { issues: { "A-1": { state: "Done" } } }
const oneRun = ["run", "--until-idle"]

/** Says what, where and how to mend it in lines for people: nothing of the program's inside. */
const assertReadable = ({ stderr, stdout }: Ended) => {
  assert.strictEqual(stdout, "")
  assert.isAbove(stderr.trim().length, 0)
  assert.notMatch(stderr, /^\s+at |Error:|\bCause\b|\[object|undefined|file:\/\//m)
}

describe("wrong usage", () => {
  for (const args of [
    ["no-such-command"],
    ["run", "--no-such-flag"],
    ["run", "--log-format", "xml"],
    ["run", "--log-level", "loud"],
    ["run", "one.md", "two.md"],
    ["issue", "move", "A-1"]
  ]) {
    it(`is refused with status 2: ${args.join(" ")}`, async () => {
      await using project = Project.make(idle)
      const ended = await project.start(args).exit()
      assert.strictEqual(ended.code, 2, ended.stderr)
      assertReadable(ended)
      assert.isFalse(project.exists("workspaces"))
    })
  }

  it("is not --help, --version or --completions", async () => {
    await using project = Project.make(idle)
    const ended = await Promise.all(
      [["--help"], ["--version"], ["run", "--help"], ["--completions", "bash"]].map((args) =>
        project.start(args).exit()
      )
    )
    assert.deepStrictEqual(
      ended.map(({ code, stderr, stdout }) => [code, stderr, stdout.length > 10]),
      ended.map(() => [0, "", true])
    )
  })
})

describe("a start that fails", () => {
  const cases: { readonly [what: string]: { readonly workflow: string | null; readonly says: ReadonlyArray<RegExp> } } =
    {
      "there is no workflow": { workflow: null, says: [/WORKFLOW\.md does not exist/] },
      "the front matter is not closed": { workflow: "---\ntracker: {kind: files}\n", says: [/WORKFLOW\.md:\d+:\d+: /] },
      "the front matter is not YAML": { workflow: "---\ntracker: [\n---\n", says: [/WORKFLOW\.md:\d+:\d+: /] },
      "several values are wrong, all told at once": {
        workflow: workflowText({ agent: { max_turns: -1 }, polling: { interval_ms: "soon" } }),
        says: [/WORKFLOW\.md:\d+:\d+: agent\.max_turns: /, /WORKFLOW\.md:\d+:\d+: polling\.interval_ms: /]
      },
      "the template does not parse": { workflow: workflowText({}, "{% if %}"), says: [/WORKFLOW\.md:\d+:\d+: /] },
      "the template names something unknown": {
        workflow: workflowText({}, "{{ issue.titel }}"),
        says: [/WORKFLOW\.md:\d+:\d+: .*titel/]
      },
      "a variable is not set": {
        workflow: workflowText({ workspace: { root: "$NO_SUCH_VARIABLE" } }),
        says: [/workspace\.root: .*NO_SUCH_VARIABLE/]
      },
      "the runtime is not in this build": {
        workflow: '---\ntracker: {kind: files}\ncodex: {command: "codex app-server"}\n---\nx\n',
        says: [/WORKFLOW\.md:\d+:\d+: .*command/]
      },
      "the folder of issues is missing": {
        workflow: workflowText({ tracker: { path: "no-such-folder" } }),
        says: [/no-such-folder/]
      },
      "the folder of issues is a file": {
        workflow: workflowText({ tracker: { path: "agent.sh" } }),
        says: [/agent\.sh/]
      }
    }

  for (const [what, { says, workflow }] of Object.entries(cases)) {
    for (const format of ["logfmt", "json"]) {
      it(`because ${what}, exits 1 and says so (${format})`, async () => {
        await using project = Project.make({ issues: { "A-1": {} } })
        if (workflow === null) project.remove("WORKFLOW.md")
        else project.write("WORKFLOW.md", workflow)
        const ended = await project.start([...oneRun, "--log-format", format]).exit()
        assert.strictEqual(ended.code, 1, ended.stderr)
        assertReadable(ended)
        for (const pattern of says) assert.match(ended.stderr, pattern)
        assert.strictEqual(project.state("A-1"), "Todo")
      })
    }
  }

  it("because of a warning, with --strict", async () => {
    await using project = Project.make({ ...idle, settings: { agnet: { max_turns: 3 } } })
    const strict = await project.start([...oneRun, "--strict"]).exit()
    assert.strictEqual(strict.code, 1)
    assert.match(strict.stderr, /WORKFLOW\.md:\d+:\d+: agnet: .*did you mean agent\?/)
    assertReadable(strict)
    const lax = await project.start(oneRun).exit()
    assert.strictEqual(lax.code, 0)
    assert.match(lax.stderr, /did you mean agent\?/)
  })
})

describe("the log", () => {
  const project = () =>
    Project.make({
      issues: { "A-1": {}, "A-2": { identifier: "B 2" }, broken: "no front matter\n" },
      settings: {
        limits: { max_failures: 1 },
        hooks: { after_run: '[ "$OPENSYMPHONY_ISSUE_ID" = A-1 ] || { echo "never\nmind" >&2; exit 1; }' }
      },
      agent: 'cat >/dev/null; [ "$OPENSYMPHONY_ISSUE_ID" = A-1 ] && move Done'
    })

  it("is a JSON object a line, with the issue and the run that a line is about", async () => {
    await using it_ = project()
    const ended = await it_.start([...oneRun, "--log-format", "json"]).exit()
    const entries = logEntries(ended.stderr)
    for (const entry of entries) {
      assert.isFalse(Number.isNaN(Date.parse(entry.time)), entry.time)
      assert.include(["debug", "info", "warn", "error"], entry.level)
    }
    const about = (identifier: string) => entries.filter((entry) => entry.issue_identifier === identifier)
    assert.isTrue(about("A-1").every((entry) => entry.issue_id === "A-1"))
    assert.isTrue(about("B 2").every((entry) => entry.issue_id === "A-2"))
    const ofRuns = entries.filter(({ message }) =>
      /^(claimed|agent launched|turn \d|run |hooks\.after_run)/.test(message)
    )
    assert.isAtLeast(ofRuns.length, 8)
    for (const entry of ofRuns) assert.match(entry.run_id ?? `none in ${JSON.stringify(entry)}`, /^[a-z0-9]+-\d+$/)
    assert.strictEqual(new Set(ofRuns.map((entry) => entry.run_id)).size, 2)
  })

  it("names every issue of a line as logfmt too, and is that where no terminal is", async () => {
    await using it_ = project()
    const ended = await it_.start(oneRun).exit()
    for (const line of ended.stderr.trimEnd().split("\n")) {
      assert.match(line, /^time=\S+ level=[a-z]+ message=("(?:[^"\\]|\\.)*"|\S+)( [a-z_]+=("(?:[^"\\]|\\.)*"|\S+))*$/)
    }
    assert.match(ended.stderr, /message=claimed issue_id=A-2 issue_identifier="B 2" run_id=\S+/)
  })

  it("leaves stdout to the summary: a line per issue, five fields, in order", async () => {
    await using it_ = project()
    const ended = await it_.start([...oneRun, "--log-level", "debug"]).exit()
    const lines = ended.stdout.trimEnd().split("\n")
    assert.deepStrictEqual(
      lines.map((line) => line.split("\t").slice(0, 4)),
      [
        ["A-1", "Done", "released", "1"],
        ["B 2", "Todo", "held", "1"]
      ]
    )
    assert.isTrue(ended.stdout.endsWith("\n"))
  })

  it("leaves stdout empty without --until-idle", async () => {
    await using it_ = project()
    const orchestrator = it_.start(["run"])
    await orchestrator.logs(/held after/)
    orchestrator.signal("SIGTERM")
    assert.strictEqual((await orchestrator.exit()).stdout, "")
  })
})

describe("the exit status of --until-idle", () => {
  it("is 0 when an issue is blocked, and its reason names the blocker", async () => {
    await using project = Project.make({
      issues: { "A-1": { blocked_by: ["A-2"] }, "A-2": { state: "Backlog" }, "A-3": { blocked_by: ["NO-1"] } }
    })
    const ended = await project.start(oneRun).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.match(ended.summary.get("A-1")?.reason ?? "", /A-2/)
    assert.match(ended.summary.get("A-3")?.reason ?? "", /NO-1/)
  })

  it("is 0 when there is nothing to do at all", async () => {
    await using project = Project.make({ issues: {} })
    const ended = await project.start(oneRun).exit()
    assert.deepStrictEqual([ended.code, ended.stdout], [0, ""], ended.stderr)
  })
})

describe("whoever reads the output", () => {
  for (const stream of ["stdout", "stderr"] as const) {
    it(`may close ${stream} early: the work goes on to its end, and no process is left`, async () => {
      await using project = Project.make({
        issues: { "A-1": {}, "A-2": {} },
        agent: "cat >/dev/null; sleep 0.3; move Done"
      })
      const orchestrator = project.start(oneRun)
      await project.until("a run", () => project.exists("workspaces/A-1"))
      orchestrator.close(stream)
      const ended = await orchestrator.exit()
      assert.deepStrictEqual([ended.code, ended.signal], [0, null], ended.stderr)
      assert.deepStrictEqual([project.state("A-1"), project.state("A-2")], ["Done", "Done"])
      assert.deepStrictEqual(project.processes(), [])
    })
  }
})
