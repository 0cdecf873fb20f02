import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Ended, Project, type SummaryLine } from "../Harness.ts"
import { type LogEntry, logEntries } from "../Log.ts"

const backoffMs = 1_000
const healthy = ["A-1", "A-2", "A-4", "A-5"]

describe("an after_create that fails for one of five issues", () => {
  let project: Project
  let ended: Ended
  let log: ReadonlyArray<LogEntry>
  const of = (issue: string) => log.filter((entry) => entry.issue_identifier === issue)
  const claims = (issue: string) => of(issue).filter(({ message }) => message.startsWith("claimed"))
  const row = (issue: string): SummaryLine | undefined => ended.summary.get(issue)

  beforeAll(async () => {
    project = Project.make({
      settings: {
        limits: { max_failures: 3 },
        agent: { max_retry_backoff_ms: backoffMs },
        hooks: {
          after_create: [
            'echo "$OPENSYMPHONY_ISSUE_IDENTIFIER $(ls -A | wc -l)" >> ../../creations',
            "mkdir half; echo work > half/file",
            '[ "$OPENSYMPHONY_ISSUE_IDENTIFIER" != A-3 ] || { echo "no such repository" >&2; exit 7; }'
          ].join("\n")
        }
      },
      issues: { "A-1": {}, "A-2": {}, "A-3": {}, "A-4": {}, "A-5": {} },
      agent: "cat >/dev/null; test -f half/file && move Done"
    })
    ended = await project.start(["run", "--until-idle", "--log-format", "json"]).exit()
    log = logEntries(ended.stderr)
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it("exits 1, because an issue ended held", () => {
    assert.strictEqual(ended.code, 1, ended.stderr)
  })

  it("lets the others finish with one run each", () => {
    const rows = healthy.map((issue) => [row(issue)?.state, row(issue)?.phase, row(issue)?.runs])
    assert.deepStrictEqual(
      rows,
      healthy.map(() => ["Done", "released", 1])
    )
  })

  it("starts the others at once, not after the broken one", () => {
    const retried = log.indexOf(claims("A-3")[1] as LogEntry)
    assert.isAbove(retried, 0)
    for (const issue of healthy) {
      const launched = log.findIndex((entry) => entry.issue_identifier === issue && entry.message === "agent launched")
      assert.isTrue(launched !== -1 && launched < retried, `${issue}: ${launched} is before ${retried}`)
    }
  })

  it("tries the broken one again up to the limit, with the backoff between the tries", () => {
    const times = claims("A-3").map(({ time }) => Date.parse(time))
    assert.strictEqual(times.length, 3)
    for (const [index, time] of times.slice(1).entries()) assert.isAtLeast(time - (times[index] ?? 0), backoffMs)
  })

  it("gives each try an empty directory", () => {
    const tries = project.lines("creations").filter((line) => line.startsWith("A-3 "))
    assert.deepStrictEqual(
      tries.map((line) => line.replaceAll(/\s+/g, " ")),
      ["A-3 0", "A-3 0", "A-3 0"]
    )
  })

  it("leaves no half workspace", () => {
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony", ...healthy])
    assert.deepStrictEqual(project.list("workspaces/.opensymphony/creating"), [])
    assert.deepStrictEqual(project.list("workspaces/.opensymphony/removing"), [])
  })

  it("says in the summary that it is held and why", () => {
    assert.deepStrictEqual([row("A-3")?.state, row("A-3")?.phase, row("A-3")?.runs], ["Todo", "held", 3])
    assert.match(row("A-3")?.reason ?? "", /held after 3 failures .*hooks\.after_create .*status 7.*no such repository/)
  })

  it("logs the hold with the issue it is about", () => {
    assert.isTrue(of("A-3").some(({ level, message }) => level === "warn" && message.startsWith("held after 3")))
  })
})

describe("an after_create that hangs for one of two issues", () => {
  it("is ended, leaves no half workspace, and does not delay the other", async () => {
    await using project = Project.make({
      settings: {
        limits: { max_failures: 1 },
        hooks: {
          timeout_ms: 1_200,
          after_create: 'echo work > half; [ "$OPENSYMPHONY_ISSUE_ID" != A-1 ] || { sleep 600 & wait; }'
        }
      },
      issues: { "A-1": {}, "A-2": {} }
    })
    const ended = await project.start(["run", "--until-idle", "--log-format", "json"]).exit()
    assert.match(ended.summary.get("A-1")?.reason ?? "", /held after 1 failure .*hooks\.after_create .*1200 ms/)
    assert.deepStrictEqual(project.list("workspaces"), [".opensymphony", "A-2"])
    assert.deepStrictEqual([ended.code, project.state("A-2"), project.processes()], [1, "Done", []])
    const messages = logEntries(ended.stderr).map(({ issue_id, message }) => `${issue_id}: ${message}`)
    const at = (start: string) => messages.findIndex((message) => message.startsWith(start))
    assert.isBelow(at("A-2: run succeeded"), at("A-1: held"))
  })
})
