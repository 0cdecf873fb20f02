import { assert, describe, it } from "@effect/vitest"
import { Project } from "../Harness.ts"
import { logEntries } from "../Log.ts"
import { isAlive } from "../Processes.ts"

const oneRun = ["run", "--until-idle", "--log-format", "json"]
const reachAndSleep = 'echo $$ > "${OPENSYMPHONY_WORKFLOW%/*}/reached"; sleep 60 & wait'
/** A process that ended and that nobody collected is not alive. */
const isAliveInShell = (pid: string) =>
  `kill -0 "${pid}" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/${pid}/status" 2>/dev/null`

/** The first time it hangs; the next one, it notes whether the first is still there. */
const onlyOnce = (then: string) =>
  [
    'first="${OPENSYMPHONY_WORKFLOW%/*}/reached"',
    `[ -s "$first" ] || { ${reachAndSleep}; exit; }`,
    `${isAliveInShell('$(cat "$first")')} && touch "\${OPENSYMPHONY_WORKFLOW%/*}/overlap"`,
    then
  ].join("\n")

/** Kills the orchestrator in the moment when the project says that it has been reached. */
async function crash(project: Project): Promise<number> {
  const orchestrator = project.start(["run"])
  await project.until("the moment to come", () => project.read("reached").endsWith("\n"))
  orchestrator.signal("SIGKILL")
  await project.until("the orchestrator to be gone", () => !orchestrator.isRunning)
  return Number(project.read("reached"))
}

describe("kill -9 of the orchestrator", () => {
  it("in a turn: the next start ends the inherited agent before it claims its issue", async () => {
    const agent = `[ "$OPENSYMPHONY_ISSUE_ID" = A-1 ] || { move Done; exit; }\n${onlyOnce("move Done")}`
    await using project = Project.make({ issues: { "A-1": {}, "A-2": {} }, agent })
    const inherited = await crash(project)
    assert.isTrue(isAlive(inherited), "the agent outlives the crash, or this test shows nothing")
    const next = project.start(oneRun)
    await next.until("the claim", () => next.stderr.includes('"claimed"'))
    assert.isFalse(isAlive(inherited))
    const ended = await next.exit()
    assert.deepStrictEqual([ended.code, project.state("A-1"), project.state("A-2")], [0, "Done", "Done"], ended.stderr)
    assert.isFalse(project.exists("overlap"))
    assert.deepStrictEqual(project.processes(), [])
  })

  it("in a turn: the manifest of the broken run says so until the next run", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, agent: onlyOnce("move Done") })
    await crash(project)
    const manifest = () => JSON.parse(project.read("workspaces/A-1/.opensymphony/run.json"))
    assert.strictEqual(manifest().status, "prepared")
    const broken = manifest().runId
    project.setState("A-1", "Backlog")
    assert.strictEqual((await project.start(oneRun).exit()).code, 0)
    assert.deepStrictEqual([manifest().runId, manifest().status], [broken, "interrupted"])
    project.setState("A-1", "Todo")
    await project.start(oneRun).exit()
    assert.deepStrictEqual([manifest().status, manifest().outcome], ["finished", "succeeded"])
  })

  it("in before_run: the next start ends the hook and goes on", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { hooks: { before_run: onlyOnce("true") } }
    })
    const inherited = await crash(project)
    const ended = await project.start(oneRun).exit()
    assert.deepStrictEqual([ended.code, project.state("A-1")], [0, "Done"], ended.stderr)
    assert.deepStrictEqual([isAlive(inherited), project.exists("overlap")], [false, false])
  })

  it("in after_create: the next start ends the hook and begins with an empty directory", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { hooks: { after_create: `ls -A >> ../../found; echo half > half; ${onlyOnce("rm half")}` } }
    })
    const inherited = await crash(project)
    assert.isTrue(project.exists("workspaces/A-1/half"))
    const ended = await project.start(oneRun).exit()
    assert.deepStrictEqual([ended.code, project.state("A-1")], [0, "Done"], ended.stderr)
    assert.deepStrictEqual([isAlive(inherited), project.exists("overlap")], [false, false])
    assert.strictEqual(project.read("found"), "")
    assert.isFalse(project.exists("workspaces/A-1/half"))
  })

  it("in after_run: the run is over, and what it did counts", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { hooks: { after_run: onlyOnce("true") } }
    })
    const inherited = await crash(project)
    const ended = await project.start(oneRun).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.isFalse(isAlive(inherited))
    const manifest = JSON.parse(project.read("workspaces/A-1/.opensymphony/run.json"))
    assert.deepStrictEqual([manifest.status, manifest.outcome], ["finished", "succeeded"])
  })

  it("in before_remove: the next start ends the hook and removes the workspace", async () => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { hooks: { before_remove: reachAndSleep }, workspace: { remove: "always" } }
    })
    const inherited = await crash(project)
    const ended = await project.start(oneRun).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.isFalse(isAlive(inherited))
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony"])
  })

  it("again and again, at any moment: every issue gets done, never by two agents at once", async () => {
    const agent = [
      "cat >/dev/null",
      `if [ -f pid ] && ${isAliveInShell("$(cat pid)")}; then echo "$OPENSYMPHONY_ISSUE_ID" >> ../../overlap; fi`,
      "echo $$ > pid",
      "sleep 0.15",
      "n=$(cat turns 2>/dev/null || echo 0); echo $((n + 1)) > turns",
      '[ "$n" -lt 1 ] || move Done'
    ].join("\n")
    const stems = ["A-1", "A-2", "A-3", "A-4"]
    await using project = Project.make({
      issues: Object.fromEntries(stems.map((stem) => [stem, {}])),
      settings: {
        agent: { max_turns: 1 },
        hooks: {
          after_create: '[ -z "$(ls -A)" ] || { ls -A >> ../../not-empty; exit 1; }; sleep 0.05; echo made > made',
          before_run: "test -f made; sleep 0.03",
          after_run: "sleep 0.03"
        }
      },
      agent
    })
    // A line of the log follows each step, so these are moments of all kinds, whatever the speed of the machine.
    for (const lines of [1, 2, 4, 5, 6, 7, 9, 12, 15]) {
      const orchestrator = project.start(oneRun)
      const logged = () => orchestrator.stderr.split("\n").length > lines
      await orchestrator.until(`${lines} lines`, () => logged() || !orchestrator.isRunning)
      orchestrator.signal("SIGKILL")
      await project.until("the orchestrator to be gone", () => !orchestrator.isRunning)
    }
    const ended = await project.start(oneRun).exit()
    assert.deepStrictEqual(
      [ended.code, stems.map((stem) => project.state(stem))],
      [0, stems.map(() => "Done")],
      ended.stderr
    )
    assert.deepStrictEqual([project.read("overlap"), project.read("not-empty")], ["", ""])
    assert.deepStrictEqual(project.list("workspaces/.opensymphony/creating"), [])
    assert.deepStrictEqual(project.processes(), [])
  })
})

describe("files that a crash left half written", () => {
  it("block nothing, and are reported", async () => {
    const half = '{"version":1,"pid":'
    const record = (issue: string, name: string) => `workspaces/${issue}/.opensymphony/${name}`
    await using project = Project.make({
      issues: { "A-1": {}, "A-2": {}, "A-3": {}, "A-4": {} },
      files: {
        "workspaces/.opensymphony/lock": half,
        "workspaces/.opensymphony/.lock.abc.tmp": half,
        "workspaces/.opensymphony/creating/A-2": "",
        "workspaces/.opensymphony/creating/.A-2.abc.tmp": half,
        "workspaces/.opensymphony/removing/A-9/1/left": "left\n",
        "workspaces/A-2/half": "half\n",
        [record("A-1", "issue.json")]: half,
        [record("A-1", "run.json")]: "",
        [record("A-3", "processes.json")]: half,
        [record("A-3", "session.json")]: "null",
        [record("A-3", ".run.json.abc.tmp")]: half
      },
      agent: "cat >/dev/null; test ! -f half && move Done"
    })
    const ended = await project.start(oneRun).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    const warnings = logEntries(ended.stderr).filter(({ level }) => level === "warn")
    for (const name of ["A-1/.opensymphony/issue.json", "A-3/.opensymphony/processes.json"]) {
      assert.isTrue(
        warnings.some(({ message }) => message.includes(name)),
        `a warning that names ${name}`
      )
    }
    assert.isFalse(project.exists("workspaces/.opensymphony/removing/A-9"))
  })

  it("include a lock whose number belongs to another process by now", async () => {
    const lock = {
      version: 1,
      pid: process.pid,
      startTime: "0",
      workflow: "/w",
      since: "2026-01-01T00:00:00Z",
      nonce: "n"
    }
    await using project = Project.make({
      issues: { "A-1": {} },
      files: { "workspaces/.opensymphony/lock": JSON.stringify(lock) }
    })
    assert.strictEqual((await project.start(oneRun).exit()).code, 0)
  })
})
