import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { note, report, turn } from "./AgentScript.ts"

/** One turn a run, so that runs are what is counted. */
const agent = { max_turns: 1 }

const git = {
  hooks: {
    after_create: [
      "set -e",
      "git init --quiet .",
      "git config user.name Agent",
      "git config user.email agent@example.invalid",
      "git commit --quiet --allow-empty -m begin"
    ].join("\n")
  }
}

describe.concurrent("an agent that never moves its issue", () => {
  it("is held after limits.max_idle_continuations: 2 means three runs; exit 1, with the reason and what lifts it", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_idle_continuations: 2 } },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$OPENSYMPHONY_ATTEMPT"))
    })
    const { code, stderr, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(project.lines("turns"), ["", "1", "2"])
    const { phase, reason, runs, state } = summary.get("A-1") ?? {}
    assert.deepStrictEqual({ phase, runs, state }, { phase: "held", runs: 3, state: "Todo" })
    assert.match(reason ?? "", /held after 2 continuations without progress.*edit the issue or release it/)
    assert.match(stderr, /level=warn .*held after 2 continuations without progress.*issue_identifier=A-1/)
  })

  it("makes no progress by touching, ignoring and undoing", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_idle_continuations: 1 }, ...git },
      issues: { "A-1": {} },
      agent: turn(
        note("turns", "$issue"),
        '[ -e .gitignore ] || { echo "*.log" >.gitignore; git add .gitignore; git commit --quiet -m ignore; }',
        "date >>noise.log; touch .gitignore; echo x >there; rm there; git checkout --quiet -b side-$$; git checkout --quiet -"
      )
    })
    const { code } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 1)
    assert.lengthOf(project.lines("turns"), 2)
  })

  it("is released by an edit of the issue, in the workspace as it was", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_idle_continuations: 1 } },
      issues: { "A-1": { body: "Do it." } },
      agent: turn(note("turns", "$OPENSYMPHONY_ATTEMPT"), "case $prompt in *harder*) move Done ;; esac"),
      prompt: "{{ issue.description }}"
    })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/held after 1 continuation/)
    project.edit("issues/A-1.md", "Do it.", "Do it harder.")
    await orchestrator.logs(/hold lifted by a change of the issue.*issue_identifier=A-1/)
    await orchestrator.logs(/released: in the terminal state Done.*issue_identifier=A-1/)
    assert.deepStrictEqual(project.lines("turns"), ["", "1", "2"])
  })

  it("stays held when its file is only saved again", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_idle_continuations: 1 } },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"))
    })
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/held after 1 continuation/)
    project.edit("issues/A-1.md", /^title:/m, "updated_at: 2030-01-01T00:00:00Z\ntitle:")
    project.write("issues/B-1.md", "---\ntitle: Later\nstate: Todo\nassignee: me\n---\n")
    await project.until("the next issue", () => project.lines("turns").includes("B-1"))
    await orchestrator.logs(/held after 1 continuation.*issue_identifier=B-1/)
    assert.deepStrictEqual(project.lines("turns"), ["A-1", "A-1", "B-1", "B-1"])
    assert.notMatch(orchestrator.stderr, /hold lifted/)
  })
})

describe.concurrent("an agent that makes progress without end", () => {
  it("is not held for idling, but after limits.max_runs_per_issue", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_idle_continuations: 1, max_runs_per_issue: 3 }, ...git },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"), "git commit --quiet --allow-empty -m more")
    })
    const { code, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 1)
    assert.match(
      summary.get("A-1")?.reason ?? "",
      /held after 3 runs \(limits\.max_runs_per_issue\); .*raise the limit/
    )
    assert.lengthOf(project.lines("turns"), 3)
  })

  it("makes progress also by changing its issue", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_idle_continuations: 1, max_runs_per_issue: 3 } },
      issues: { "A-1": {} },
      agent: turn(
        note("turns", "$issue"),
        'file="$project/issues/A-1.md"; { cat "$file"; echo more; } >"$file.new"; mv "$file.new" "$file"'
      )
    })
    const { summary } = await project.start(["run", "--until-idle"]).exit()
    assert.match(summary.get("A-1")?.reason ?? "", /held after 3 runs/)
  })

  it("is stopped and held when it has used up limits.max_tokens_per_issue", async () => {
    await using project = Project.make({
      settings: { limits: { max_tokens_per_issue: 1_000 } },
      issues: { "A-1": {} },
      agent: turn(
        note("turns", "$OPENSYMPHONY_TURN"),
        report({ usage: { input_tokens: 400, output_tokens: 100, cache_read_tokens: 9_000 } })
      )
    })
    const { code, stderr, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(project.lines("turns"), ["1", "2"])
    assert.match(summary.get("A-1")?.reason ?? "", /held after 1000 tokens \(limits\.max_tokens_per_issue\)/)
    assert.match(stderr, /1000 tokens/)
  })

  it("is held over several runs by limits.max_cost_usd_per_issue", async () => {
    await using project = Project.make({
      settings: { agent, limits: { max_cost_usd_per_issue: 0.5 } },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"), report({ usage: { cost_usd: 0.3 } }))
    })
    const { code, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 1)
    assert.lengthOf(project.lines("turns"), 2)
    assert.match(summary.get("A-1")?.reason ?? "", /held after 0\.60 USD/)
  })
})

describe.concurrent("an agent that fails again and again", () => {
  it("is held after limits.max_failures with its last words as the reason", async () => {
    await using project = Project.make({
      settings: { limits: { max_failures: 2 } },
      issues: { "A-1": {} },
      agent: turn(note("turns", "$OPENSYMPHONY_ATTEMPT"), "echo no such flower >&2; exit 7")
    })
    const { code, summary } = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(code, 1)
    assert.deepStrictEqual(project.lines("turns"), ["", "1"])
    assert.match(summary.get("A-1")?.reason ?? "", /held after 2 failures.*exited with status 7: no such flower/)
  })
})
