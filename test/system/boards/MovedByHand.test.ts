import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { type Orchestrator, Project, type Settings } from "../Harness.ts"
import { atWork, note, seen, turn, waitFor } from "./AgentScript.ts"

const hooks = {
  after_create: 'git clone --quiet "${OPENSYMPHONY_WORKFLOW%/*}/remote.git" . 2>&1',
  before_remove: 'echo "$OPENSYMPHONY_ISSUE_IDENTIFIER" >>"${OPENSYMPHONY_WORKFLOW%/*}/removals"'
}

const identity = {
  GIT_AUTHOR_NAME: "Agent",
  GIT_AUTHOR_EMAIL: "agent@example.invalid",
  GIT_COMMITTER_NAME: "Agent",
  GIT_COMMITTER_EMAIL: "agent@example.invalid"
}

const commit = "echo work >work.txt && git add work.txt && git commit --quiet -m work"
const push = "git push --quiet origin HEAD 2>&1"

/** Works until it is stopped. */
const tireless = (...work: ReadonlyArray<string>) =>
  turn(...work, note("turns", "$issue $OPENSYMPHONY_ATTEMPT"), "exec sleep 60")

const quickly: Settings = { agent: { handoff_grace_ms: 100 } }

const withGit = (options: {
  readonly remove: string
  readonly agent: string
  readonly settings?: Settings
}): Project => {
  const { agent, remove, settings = quickly } = options
  const env = Object.keys(identity)
  const project = Project.make({
    settings: { ...settings, hooks: { ...hooks, env }, workspace: { remove }, command: { env } },
    issues: { "A-1": {} },
    agent
  })
  execFileSync("git", ["init", "--quiet", "--bare", project.path("remote.git")])
  return project
}

const start = (project: Project) => project.start(["run"], { env: identity })

const atTurn = (project: Project, count = 1) =>
  project.until(`turn ${count}`, () => project.lines("turns").length === count)

const ended = (orchestrator: Orchestrator, after = 0) => orchestrator.logs(/run \w+ after \d+ turn/, 20_000, after)

describe.concurrent("an issue that a person moves to Done while its run is live", () => {
  it("has its run stopped after the grace, and its workspace removed when nothing in it would be lost", async () => {
    await using project = withGit({ remove: "clean", agent: tireless(commit, push) })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Done")
    assert.match(await ended(orchestrator), /run cancelled .*Done/)
    assert.deepStrictEqual(atWork(project), [])
    await orchestrator.logs(/workspace removed: .*A-1/)
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony"])
    assert.deepStrictEqual(project.lines("removals"), ["A-1"])
  })

  it("keeps a workspace with commits that are on no remote, says so, and does not run before_remove", async () => {
    await using project = withGit({ remove: "clean", agent: tireless(commit) })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Done")
    assert.match(await orchestrator.logs(/workspace kept/), /A-1 has commits that are on no remote/)
    assert.strictEqual(project.read("workspaces/A-1/work.txt"), "work\n")
    assert.isFalse(project.exists("removals"))
  })

  it("keeps a workspace with uncommitted work", async () => {
    await using project = withGit({ remove: "clean", agent: tireless(commit, push, "echo more >more.txt") })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Done")
    assert.match(await orchestrator.logs(/workspace kept/), /A-1 has uncommitted or untracked files: more\.txt/)
    assert.isFalse(project.exists("removals"))
  })

  it("loses its workspace whatever is in it under workspace.remove: always", async () => {
    await using project = withGit({ remove: "always", agent: tireless(commit) })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Done")
    await orchestrator.logs(/workspace removed: .*A-1/)
    assert.deepStrictEqual(project.lines("removals"), ["A-1"])
  })

  it("keeps its workspace whatever is in it under workspace.remove: never", async () => {
    await using project = withGit({ remove: "never", agent: tireless(commit, push) })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Done")
    assert.match(await orchestrator.logs(/workspace kept/), /workspace\.remove is never/)
    assert.isFalse(project.exists("removals"))
  })

  it("is stopped at once without a grace", async () => {
    await using project = withGit({ remove: "never", agent: tireless(), settings: { agent: { handoff_grace_ms: 0 } } })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Done")
    assert.match(await ended(orchestrator), /run cancelled .*Done/)
  })

  it("has its preparation cancelled, and its agent never starts", async () => {
    await using project = Project.make({
      settings: { hooks: { before_run: 'echo >"${OPENSYMPHONY_WORKFLOW%/*}/preparing"; exec sleep 60' } },
      issues: { "A-1": {} },
      agent: tireless()
    })
    const orchestrator = project.start(["run"])
    await project.until("the hook", () => project.exists("preparing"))
    project.setState("A-1", "Done")
    assert.match(await ended(orchestrator), /run cancelled after 0 turns.*Done/)
    assert.notInclude(
      project.processes().map(({ command }) => command),
      "sleep 60"
    )
    assert.isFalse(project.exists("turns"))
  })

  it("takes its last word into the summary: done, one run", async () => {
    await using project = withGit({ remove: "clean", agent: tireless(commit, push) })
    const orchestrator = project.start(["run", "--until-idle"], { env: identity })
    await atTurn(project)
    project.setState("A-1", "Done")
    const { code, stdout } = await orchestrator.exit()
    assert.strictEqual(stdout, "A-1\tDone\treleased\t1\tin the terminal state Done\n")
    assert.strictEqual(code, 0)
  })
})

describe.concurrent("an issue that a person moves to Backlog while its run is live", () => {
  it("has its run stopped and its workspace kept; back again, it goes on there with the next attempt", async () => {
    await using project = withGit({
      remove: "always",
      agent: tireless('cat notes 2>/dev/null >>"$project/found"', "echo $issue >>notes")
    })
    const orchestrator = start(project)
    await atTurn(project)
    project.setState("A-1", "Backlog")
    assert.match(await ended(orchestrator), /run cancelled .*Backlog/)
    assert.deepStrictEqual(atWork(project), [])
    project.setState("A-1", "Todo")
    await atTurn(project, 2)
    assert.deepStrictEqual(project.lines("turns"), ["A-1 ", "A-1 1"])
    assert.deepStrictEqual(project.lines("found"), ["A-1"])
    assert.isFalse(project.exists("removals"))
  })

  it("keeps its run when it is back within the grace", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      agent: turn(note("turns", "$issue"), waitFor("go"), "move Done")
    })
    const orchestrator = project.start(["run"])
    await atTurn(project)
    project.setState("A-1", "Backlog")
    await seen(project, orchestrator)
    project.setState("A-1", "Todo")
    await seen(project, orchestrator)
    project.write("go", "")
    assert.match(await ended(orchestrator), /run succeeded after 1 turn/)
    assert.deepStrictEqual(project.lines("turns"), ["A-1"])
  })

  it("finishes stopping when it is back too late, and then runs again", async () => {
    const reluctant = turn(
      note("turns", "$issue $OPENSYMPHONY_ATTEMPT"),
      `trap '${note("told", "$issue")}; ${waitFor("go")}; exit 0' TERM`,
      waitFor("never")
    )
    await using project = Project.make({
      settings: { agent: { handoff_grace_ms: 0, stop_timeout_ms: 20_000 } },
      issues: { "A-1": {} },
      agent: reluctant
    })
    const orchestrator = project.start(["run"])
    await atTurn(project)
    project.setState("A-1", "Backlog")
    await project.until("TERM", () => project.exists("told"))
    project.setState("A-1", "Todo")
    project.write("go", "")
    await orchestrator.logs(/continues in 1 s/)
    await atTurn(project, 2)
    assert.deepStrictEqual(project.lines("turns"), ["A-1 ", "A-1 1"])
  })
})

describe.concurrent("an agent that moves its own issue and then works on", () => {
  it("is not stopped within the grace, and what it finishes counts", async () => {
    await using project = Project.make({
      settings: { agent: { handoff_grace_ms: 10_000 } },
      issues: { "A-1": {} },
      agent: turn("move Done", "sleep 0.7", note("finished", "$issue"))
    })
    const { code, stderr } = await project.start(["run", "--until-idle"]).exit()
    assert.match(stderr, /run succeeded after 1 turn/)
    assert.notMatch(stderr, /stopping the run/)
    assert.deepStrictEqual(project.lines("finished"), ["A-1"])
    assert.strictEqual(code, 0)
  })
})
