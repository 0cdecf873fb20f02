import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { note, report, turn, waitFor } from "./AgentScript.ts"

const prompt = "{% if attempt %}Attempt {{ attempt }} at {% endif %}{{ issue.identifier }}: {{ issue.title }}"

const keepPrompt = 'printf "%s" "$prompt" >"$project/prompt.$OPENSYMPHONY_ATTEMPT.$OPENSYMPHONY_TURN"'
const done = (when: string) => `if ${when}; then move Done; fi`

const guidance = /^A-1 is still in the state "Todo"[\s\S]*turn 2 of at most 5 [\s\S]*move the issue on/

describe.concurrent("the second turn of a run", () => {
  const second = done('[ "$OPENSYMPHONY_TURN" = 2 ]')

  it("has only a short prompt to go on, when the agent reported a session", async () => {
    await using project = Project.make({
      settings: { agent: { max_turns: 5 } },
      issues: { "A-1": { title: "Sow" } },
      prompt,
      agent: turn(note("sessions", "$OPENSYMPHONY_SESSION"), keepPrompt, report({ session: "s-1" }), second)
    })
    const { code, stderr } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 0)
    assert.match(stderr, /run succeeded after 2 turns.*issue_identifier=A-1 run_id=\S+ session_id=s-1$/m)
    assert.strictEqual(project.read("prompt..1"), "A-1: Sow")
    assert.match(project.read("prompt..2"), /^A-1 is still in the state "Todo"/)
    assert.notInclude(project.read("prompt..2"), "A-1: Sow")
    assert.deepStrictEqual(project.lines("sessions"), ["", "s-1"])
  })

  it("has the whole prompt followed by that, when the agent reported none", async () => {
    await using project = Project.make({
      settings: { agent: { max_turns: 5 } },
      issues: { "A-1": { title: "Sow" } },
      prompt,
      agent: turn(note("sessions", "$OPENSYMPHONY_SESSION"), keepPrompt, second)
    })
    await project.start(["run", "--until-idle"]).exit()
    const [first, later] = [project.read("prompt..1"), project.read("prompt..2")]
    assert.strictEqual(first, "A-1: Sow")
    assert.isTrue(later.startsWith(`${first}\n\n`))
    assert.match(later.slice(first.length + 2), guidance)
    assert.deepStrictEqual(project.lines("sessions"), ["", ""])
  })

  it("sees what a person changed in the issue meanwhile", async () => {
    await using project = Project.make({
      issues: { "A-1": { title: "Sow" } },
      prompt,
      agent: turn(keepPrompt, '[ "$OPENSYMPHONY_TURN" = 2 ] && { move Done; exit; }', note("turns", "1"), waitFor("go"))
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.edit("issues/A-1.md", '"Sow"', '"Reap"')
    project.write("go", "")
    await orchestrator.exit()
    assert.match(project.read("prompt..2"), /^A-1: Reap\n/)
  })

  it("does not come when the issue got blocked; the run counts, and the issue waits with that reason", async () => {
    await using project = Project.make({
      issues: { "A-1": {}, "B-1": { state: "Backlog" } },
      agent: turn(note("turns", "$issue"), waitFor("go"))
    })
    const orchestrator = project.start(["run", "--until-idle"])
    await project.until("the first turn", () => project.lines("turns").length > 0)
    project.edit("issues/A-1.md", /^title/m, "blocked_by: [B-1]\ntitle")
    project.write("go", "")
    const { code, stderr, summary } = await orchestrator.exit()
    assert.match(stderr, /run succeeded after 1 turn.*issue_identifier=A-1/)
    assert.notMatch(stderr, /stopping the run/)
    assert.strictEqual(summary.get("A-1")?.reason, "blocked by B-1 (Backlog)")
    assert.strictEqual(code, 0)
  })
})

describe.concurrent("the next run of an issue", () => {
  it("follows when agent.max_turns are used up, and is attempt 1", async () => {
    await using project = Project.make({
      settings: { agent: { max_turns: 2 } },
      issues: { "A-1": { title: "Sow" } },
      prompt,
      agent: turn(
        note("turns", "$OPENSYMPHONY_ATTEMPT/$OPENSYMPHONY_TURN"),
        keepPrompt,
        done('[ "$OPENSYMPHONY_ATTEMPT" = 1 ]')
      )
    })
    const { code, stderr, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 0)
    assert.match(stderr, /run succeeded after 2 turns/)
    assert.deepStrictEqual(project.lines("turns"), ["/1", "/2", "1/1"])
    assert.strictEqual(project.read("prompt.1.1"), "Attempt 1 at A-1: Sow")
    assert.strictEqual(summary.get("A-1")?.runs, 2)
  })

  it("has the session of the last one, and still the whole prompt", async () => {
    await using project = Project.make({
      settings: { agent: { max_turns: 1 } },
      issues: { "A-1": { title: "Sow" } },
      prompt,
      agent: turn(
        note("sessions", "$OPENSYMPHONY_SESSION"),
        keepPrompt,
        'session="s-$(date +%s)"',
        `printf '{"opensymphony": {"session": "%s"}}\\n' "\${OPENSYMPHONY_SESSION:-$session}"`,
        done('[ "$OPENSYMPHONY_ATTEMPT" = 1 ]')
      )
    })
    await project.start(["run", "--until-idle"]).exit()
    const [first, second] = project.lines("sessions")
    assert.strictEqual(first, "")
    assert.match(second ?? "", /^s-\d+$/)
    assert.strictEqual(project.read("prompt.1.1"), "Attempt 1 at A-1: Sow")
  })

  it("has that session also after the orchestrator was started anew", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      agent: turn(note("sessions", "$OPENSYMPHONY_SESSION"), report({ session: "s 1" }), waitFor("go"), "move Done")
    })
    const orchestrator = project.start(["run"])
    await project.until("the session to be stored", () =>
      project.read("workspaces/A-1/.opensymphony/session.json").includes("s 1")
    )
    orchestrator.signal("SIGTERM")
    assert.strictEqual((await orchestrator.exit()).code, 0)
    project.write("go", "")
    await project.start(["run", "--until-idle"]).exit()
    assert.deepStrictEqual(project.lines("sessions"), ["", "s 1"])
  })

  it("waits for the instant that usage_limited_until names, whatever the exit status, and is no new attempt", async () => {
    const until = new Date(Date.now() + 5_000).toISOString()
    await using project = Project.make({
      settings: { agent: { max_concurrent_agents: 1 }, limits: { max_failures: 1 } },
      issues: { "A-1": { priority: 1 }, "B-1": {} },
      agent: turn(
        note("turns", "$issue/$OPENSYMPHONY_ATTEMPT"),
        '[ "$(wc -l <"$project/turns")" -gt 1 ] && { node -p "Date.now()" >>"$project/times"; move Done; exit; }',
        report({ usage_limited_until: until, summary: "five hour limit" }),
        "exit 1"
      )
    })
    const orchestrator = project.start(["run", "--until-idle"])
    assert.match(await orchestrator.logs(/nothing starts for now/), /usage limit is reached: five hour limit/)
    const { code, stderr, summary } = await orchestrator.exit()
    assert.strictEqual(code, 0)
    assert.match(stderr, /run usage_limited/)
    assert.deepStrictEqual(project.lines("turns"), ["A-1/", "A-1/", "B-1/"])
    assert.isAtLeast(Number(project.lines("times")[0]), Date.parse(until))
    assert.strictEqual(summary.get("A-1")?.runs, 2)
  })
})

describe.concurrent("the environment of a turn", () => {
  it("has every OPENSYMPHONY variable, and no other, with its value", async () => {
    await using project = Project.make({
      issues: {
        "A-1": {
          id: "A-1",
          identifier: "Ä 1",
          title: "It's $HOME",
          state: "in progress",
          url: "https://example.org/1",
          branch: "b/1"
        },
        "B-1": {}
      },
      agent: turn(
        'env | grep "^OPENSYMPHONY_" | sort >"$project/env.$OPENSYMPHONY_ISSUE_ID"',
        "pwd >$project/pwd.$OPENSYMPHONY_ISSUE_ID",
        "move Done"
      )
    })
    await project.start(["run", "--until-idle"]).exit()
    const workspaces = project.list("workspaces").filter((name) => !name.startsWith(".o"))
    const [own = ""] = workspaces.filter((name) => name !== "B-1")
    const variables = (id: string) =>
      Object.fromEntries(
        project.lines(`env.${id}`).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
      )
    const { OPENSYMPHONY_RUN_ID: runId, ...others } = variables("A-1")
    assert.match(runId ?? "", /^\S+$/)
    assert.deepStrictEqual(others, {
      OPENSYMPHONY_ATTEMPT: "",
      OPENSYMPHONY_ISSUE_BRANCH: "b/1",
      OPENSYMPHONY_ISSUE_ID: "A-1",
      OPENSYMPHONY_ISSUE_IDENTIFIER: "Ä 1",
      OPENSYMPHONY_ISSUE_STATE: "in progress",
      OPENSYMPHONY_ISSUE_TITLE: "It's $HOME",
      OPENSYMPHONY_ISSUE_URL: "https://example.org/1",
      OPENSYMPHONY_SESSION: "",
      OPENSYMPHONY_TURN: "1",
      OPENSYMPHONY_WORKFLOW: project.path("WORKFLOW.md"),
      OPENSYMPHONY_WORKSPACE: project.path(`workspaces/${own}`)
    })
    assert.strictEqual(project.read("pwd.A-1"), `${project.path(`workspaces/${own}`)}\n`)
    assert.include(variables("B-1"), { OPENSYMPHONY_ISSUE_BRANCH: "", OPENSYMPHONY_ISSUE_URL: "" })
  })
})
