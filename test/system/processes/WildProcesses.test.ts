import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Ended, Project, type ProjectOptions } from "../Harness.ts"
import { type LogEntry, logEntries } from "../Log.ts"
import { peakMemory } from "../Processes.ts"

const deadlineMs = 5_000
/** KILL follows TERM after a third of it. */
const stopTimeoutMs = 3_000
/** Far more than both, for machines that are busy, and far less than anything here would take. */
const patienceMs = 40_000

/** What a script does, by issue. */
const behaviours: { readonly [issue: string]: string } = {
  "W-hangs": "sleep 600",
  "W-ignores-TERM": "trap '' TERM INT HUP; while :; do sleep 0.1; done",
  "W-floods-lines": "exec yes",
  "W-floods-stderr": "exec yes 'a line of some length, on the other stream, again and again' >&2",
  "W-floods-one-line": "tr '\\\\0' x < /dev/zero",
  "W-floods-and-ignores-TERM": "trap '' TERM; while :; do yes | head -c 50000000; done"
}
const wild = Object.keys(behaviours)
const tame = ["T-1", "T-2", "T-3"]

/** A shell text that behaves by issue. */
const byIssue = (also: { readonly [issue: string]: string } = {}): string => {
  const cases = Object.entries({ ...behaviours, ...also }).map(([issue, script]) => `${issue}) ${script} ;;\n`)
  return `case $OPENSYMPHONY_ISSUE_ID in\n${cases.join("")}esac\n`
}

interface Observed {
  readonly project: Project
  readonly ended: Ended
  readonly log: ReadonlyArray<LogEntry>
  readonly peakMb: number
}

function observe(options: Omit<ProjectOptions, "issues">, issues: ReadonlyArray<string>): Promise<Observed> {
  const files = Object.fromEntries(issues.map((issue) => [issue, {}]))
  return Project.using({ issues: files, ...options }, async (project) => {
    const orchestrator = project.start(["run", "--until-idle", "--log-format", "json"])
    let peakMb = 0
    const watch = setInterval(() => (peakMb = peakMemory(orchestrator.pid) || peakMb), 20)
    const ended = await orchestrator.exit(2 * patienceMs).finally(() => clearInterval(watch))
    return { project, ended, log: logEntries(ended.stderr), peakMb }
  })
}

const agentSettings = { max_concurrent_agents: 20, stop_timeout_ms: stopTimeoutMs }
const limits = { max_failures: 1 }
/** The program takes about 90 MB. Floods of gigabytes make Node collect garbage late, which adds a few hundred and no more. */
const memoryBoundMb = 600

const kinds: { readonly [kind: string]: Omit<ProjectOptions, "issues"> } = {
  "a hook": {
    settings: {
      agent: agentSettings,
      limits,
      hooks: { timeout_ms: deadlineMs, before_run: byIssue({ "W-holds-pipe": "sleep 600 & exit 0" }) }
    }
  },
  "an agent": {
    settings: { agent: { ...agentSettings, turn_timeout_ms: deadlineMs }, limits },
    agent: `cat >/dev/null\n${byIssue()}move Done`
  }
}

for (const [kind, options] of Object.entries(kinds)) {
  describe(`${kind} that hangs, ignores TERM or floods its output`, () => {
    let it_: Observed
    const issues = kind === "a hook" ? [...wild, "W-holds-pipe"] : wild
    const last = (issue: string) => it_.log.findLast((entry) => entry.issue_identifier === issue)

    beforeAll(async () => {
      it_ = await observe(options, [...issues, ...tame])
    })
    afterAll(() => it_.project[Symbol.asyncDispose]())

    it("is ended at its deadline, and the issue held with that reason", () => {
      for (const issue of issues) {
        const row = it_.ended.summary.get(issue)
        assert.strictEqual(row?.phase, "held", `${issue}: ${it_.ended.stderr.slice(-5_000)}`)
        const limit = kind === "a hook" ? /hooks\.before_run .*5000 ms/ : /agent\.turn_timeout_ms/
        assert.match(row?.reason ?? "", limit, `${issue}: ${row?.reason}`)
      }
      assert.strictEqual(it_.ended.code, 1)
    })

    it("leaves no process of its group", () => {
      assert.deepStrictEqual(it_.project.processes(), [])
    })

    it("is gone in time: after the deadline and the time for a stop, whatever it started and ignores", () => {
      const claimed = Date.parse(it_.log.find(({ message }) => message === "claimed")?.time ?? "")
      for (const issue of issues) {
        const tookMs = Date.parse(last(issue)?.time ?? "") - claimed
        assert.isBelow(tookMs, patienceMs, issue)
      }
    })

    it("does not hold up others", () => {
      const firstHold = it_.log.findIndex(({ message }) => message.startsWith("held"))
      for (const issue of tame) {
        const done = it_.log.findIndex(
          (entry) => entry.issue_identifier === issue && entry.message.startsWith("run succeeded")
        )
        assert.isTrue(
          done !== -1 && done < firstHold,
          `${issue} is done at line ${done}, the first hold at ${firstHold}`
        )
      }
    })

    it.runIf(process.platform === "linux")("does not fill the memory of the orchestrator", () => {
      assert.isAbove(it_.peakMb, 20)
      assert.isBelow(it_.peakMb, memoryBoundMb)
    })

    it("does not flood the log", () => {
      assert.isBelow(it_.ended.stderr.length, 100_000)
    })
  })
}

describe("hundreds of megabytes of output", () => {
  const flood = "head -c 150000000 /dev/zero | tr '\\0' x | fold -w 1000; head -c 150000000 /dev/zero | tr '\\0' x"

  for (const [kind, options] of Object.entries({
    "a hook": { settings: { hooks: { before_run: flood } } },
    "an agent": { agent: `cat >/dev/null; ${flood}; move Done` }
  })) {
    it(`of ${kind} are read to their end in bounded memory`, async () => {
      const { ended, peakMb, project } = await observe(options, ["A-1"])
      await using _ = project
      assert.strictEqual(ended.code, 0, ended.stderr.slice(-5_000))
      if (process.platform === "linux") assert.isBelow(peakMb, memoryBoundMb)
    })
  }
})

describe("a background child that an agent leaves holding its pipes", () => {
  it("does not keep the turn from ending, and is ended with it", async () => {
    const { ended, project } = await observe({ agent: "cat >/dev/null; sleep 600 & move Done" }, ["A-1", "A-2"])
    await using _ = project
    assert.deepStrictEqual([ended.code, project.processes()], [0, []], ended.stderr)
    assert.isBelow(ended.ms, patienceMs)
  })

  it("keeps neither the turn nor the orchestrator, also where it left the process group", async () => {
    const { ended, project } = await observe({ agent: "cat >/dev/null; setsid sleep 600 & move Done" }, ["A-1"])
    await using _ = project
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.isBelow(ended.ms, patienceMs)
  })
})
