import { assert, describe, it } from "@effect/vitest"
import { Project, type ProjectOptions } from "../Harness.ts"

const statusOf = { SIGINT: 130, SIGTERM: 143 } as const
const signals = ["SIGINT", "SIGTERM"] as const

/** Says that it has come this far, and then takes longer than any test waits. */
const reachAndSleep = 'touch "${OPENSYMPHONY_WORKFLOW%/*}/reached"; sleep 600 & wait'

const moments: { readonly [moment: string]: Omit<ProjectOptions, "issues"> } = {
  "a turn": { agent: reachAndSleep },
  before_run: { settings: { hooks: { before_run: reachAndSleep } } },
  after_create: { settings: { hooks: { after_create: reachAndSleep } } }
}

/** What is stopped ends at TERM: long before any time limit of the drain is reached. */
const soonMs = 3_000

async function interrupted(
  options: Omit<ProjectOptions, "issues">,
  signal: NodeJS.Signals,
  args: ReadonlyArray<string>
) {
  return Project.using({ issues: { "A-1": {} }, ...options }, async (project) => {
    const orchestrator = project.start(args)
    await project.until("the moment to come", () => project.exists("reached"))
    const signalledAt = performance.now()
    orchestrator.signal(signal)
    const ended = await orchestrator.exit()
    return { project, ended, tookMs: performance.now() - signalledAt, left: project.processes() }
  })
}

const manifestOf = (project: Project) => JSON.parse(project.read("workspaces/A-1/.opensymphony/run.json"))

for (const signal of signals) {
  for (const [moment, options] of Object.entries(moments)) {
    describe(`${signal} during ${moment}`, () => {
      it("ends it in time with status 0 and leaves no process", async () => {
        const { ended, left, project, tookMs } = await interrupted(options, signal, ["run"])
        await using _ = project
        assert.deepStrictEqual([ended.code, left], [0, []], ended.stderr)
        assert.isBelow(tookMs, soonMs)
        assert.strictEqual(ended.stdout, "")
      })

      it(`ends with ${statusOf[signal]} where it was to run until idle, and the summary says where the issue is`, async () => {
        const { ended, left, project } = await interrupted(options, signal, ["run", "--until-idle"])
        await using _ = project
        assert.deepStrictEqual([ended.code, left], [statusOf[signal], []], ended.stderr)
        assert.strictEqual(ended.summary.get("A-1")?.state, "Todo")
        assert.strictEqual(ended.summary.get("A-1")?.runs, 1)
      })
    })
  }
}

describe("what a drain leaves behind", () => {
  it("is a manifest that says that the turn was cancelled, after after_run ran", async () => {
    const { project, ended } = await interrupted(
      { agent: reachAndSleep, settings: { hooks: { after_run: "sleep 0.3; touch ../../after" } } },
      "SIGTERM",
      ["run"]
    )
    await using _ = project
    const manifest = manifestOf(project)
    assert.deepStrictEqual([manifest.status, manifest.outcome], ["finished", "cancelled"], ended.stderr)
    assert.isNotNull(manifest.endedAt)
    assert.isTrue(project.exists("after"))
    assert.isFalse(project.exists("workspaces/A-1/.opensymphony/processes.json"))
    assert.isFalse(project.exists("workspaces/.opensymphony/lock"))
  })

  it("is a manifest that says that the run was cancelled in its before_run", async () => {
    const { project } = await interrupted({ settings: { hooks: { before_run: reachAndSleep } } }, "SIGINT", ["run"])
    await using _ = project
    const manifest = manifestOf(project)
    assert.deepStrictEqual([manifest.status, manifest.outcome], ["finished", "cancelled"])
  })

  it("is no half workspace", async () => {
    const { project } = await interrupted({ settings: { hooks: { after_create: reachAndSleep } } }, "SIGINT", ["run"])
    await using _ = project
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony"])
    assert.deepStrictEqual(project.list("workspaces/.opensymphony/creating"), [])
  })

  it("is work that the next start goes on with", async () => {
    const agent = `[ ! -f tried ] || { move Done; exit; }; touch tried; ${reachAndSleep}`
    const { project } = await interrupted({ agent }, "SIGTERM", ["run"])
    await using _ = project
    const ended = await project.start(["run", "--until-idle"]).exit()
    assert.deepStrictEqual([ended.code, project.state("A-1")], [0, "Done"], ended.stderr)
  })
})

describe("a signal while hooks are at their end", () => {
  it("lets after_run finish", async () => {
    const after_run = 'touch "${OPENSYMPHONY_WORKFLOW%/*}/reached"; sleep 0.6; touch ../../finished'
    const { project, ended, left } = await interrupted({ settings: { hooks: { after_run } } }, "SIGTERM", ["run"])
    await using _ = project
    assert.deepStrictEqual([ended.code, left, project.exists("finished")], [0, [], true], ended.stderr)
    const manifest = manifestOf(project)
    assert.deepStrictEqual([manifest.status, manifest.outcome], ["finished", "succeeded"])
  })

  it("lets before_remove finish, and then the workspace is gone", async () => {
    const before_remove = 'touch "${OPENSYMPHONY_WORKFLOW%/*}/reached"; sleep 0.6; touch ../../finished'
    const settings = { hooks: { before_remove }, workspace: { remove: "always" } }
    const { project, ended, left } = await interrupted({ settings }, "SIGINT", ["run", "--until-idle"])
    await using _ = project
    assert.deepStrictEqual([ended.code, left, project.exists("finished")], [130, [], true], ended.stderr)
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony"])
  })

  it("waits for a before_remove that hangs no longer than agent.shutdown_timeout_ms", async () => {
    const settings = {
      hooks: { before_remove: reachAndSleep },
      workspace: { remove: "always" },
      agent: { shutdown_timeout_ms: 700 }
    }
    const { project, ended, left, tookMs } = await interrupted({ settings }, "SIGTERM", ["run"])
    await using _ = project
    assert.deepStrictEqual([ended.code, left], [0, []], ended.stderr)
    assert.isBelow(tookMs, 700 + soonMs)
    assert.isTrue(project.exists("workspaces/A-1"), "a removal that was given up removes nothing")
  })
})

describe("a process that ignores TERM when a drain asks it to end", () => {
  const stubborn = `trap '' TERM INT; touch "\${OPENSYMPHONY_WORKFLOW%/*}/reached"; while :; do sleep 0.1; done`
  const agent = { stop_timeout_ms: 4_500, shutdown_timeout_ms: 20_000 }

  for (const [what, options] of Object.entries({
    "an agent": { agent: stubborn, settings: { agent } },
    "a before_run": { settings: { agent, hooks: { before_run: stubborn } } }
  })) {
    it(`is killed: ${what}`, async () => {
      const { ended, left, project, tookMs } = await interrupted(options, "SIGTERM", ["run"])
      await using _ = project
      assert.deepStrictEqual([ended.code, left], [0, []], ended.stderr)
      assert.isBelow(tookMs, agent.stop_timeout_ms, "KILL comes after a third of the stop timeout")
      assert.strictEqual(manifestOf(project).status, "finished")
    })
  }
})

describe("a second signal", () => {
  const stubborn = `trap '' TERM INT; touch "\${OPENSYMPHONY_WORKFLOW%/*}/reached"; sleep 600 & while :; do sleep 0.1; done`
  const agent = { stop_timeout_ms: 60_000, shutdown_timeout_ms: 60_000 }

  const leftBehind = `(${stubborn}) & exit 0`

  for (const [moment, options] of Object.entries({
    "a turn": { agent: stubborn, settings: { agent } },
    before_run: { settings: { agent, hooks: { before_run: stubborn } } },
    "what a before_run left in the background": { settings: { agent, hooks: { before_run: leftBehind } } },
    after_run: { settings: { agent, hooks: { after_run: stubborn } } },
    before_remove: { settings: { agent, hooks: { before_remove: stubborn }, workspace: { remove: "always" } } }
  })) {
    it(`leaves ${moment} at once and leaves no process`, async () => {
      await using project = Project.make({ issues: { "A-1": {} }, ...options })
      const orchestrator = project.start(["run"])
      await project.until("the moment to come", () => project.exists("reached"))
      orchestrator.signal("SIGINT")
      await orchestrator.logs(/draining/)
      // Within a tenth of a second two signals count as one: a terminal and a wrapper may both send it.
      await new Promise((resolve) => setTimeout(resolve, 150))
      const signalledAt = performance.now()
      orchestrator.signal("SIGTERM")
      const ended = await orchestrator.exit()
      assert.strictEqual(ended.code, 143, ended.stderr)
      assert.isBelow(performance.now() - signalledAt, soonMs)
      await project.until("nothing to be left", () => project.processes().length === 0, soonMs)
    })
  }
})

describe("a terminal that goes away (SIGHUP)", () => {
  it("ends the work as SIGTERM does", async () => {
    const { ended, left, project } = await interrupted({ agent: reachAndSleep }, "SIGHUP", ["run"])
    await using _ = project
    assert.deepStrictEqual([ended.code, left, manifestOf(project).status], [0, [], "finished"], ended.stderr)
  })
})

describe("a signal during the start", () => {
  it("is heard while the processes of a dead orchestrator are being ended", async () => {
    const agent = `trap '' TERM; touch "\${OPENSYMPHONY_WORKFLOW%/*}/reached"; while :; do sleep 0.1; done`
    await using project = Project.make({ issues: { "A-1": {} }, agent })
    const dead = project.start(["run"])
    await project.until("the moment to come", () => project.exists("reached"))
    dead.signal("SIGKILL")
    await dead.until("its end", () => !dead.isRunning)
    const orchestrator = project.start(["run"])
    await orchestrator.logs(/orchestrating/)
    const signalledAt = performance.now()
    orchestrator.signal("SIGTERM")
    const ended = await orchestrator.exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.isBelow(performance.now() - signalledAt, soonMs)
    assert.notInclude(ended.stderr, "claimed")
  })
})
