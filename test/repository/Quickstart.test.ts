import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { environment, type Finished, run } from "./Program.ts"
import { filesBelow, repository } from "./SourceFile.ts"

const issues = filesBelow("examples/quickstart/issues").map((file) => Path.basename(file, ".md"))

let room = ""
let finished: Finished
let copy = ""

beforeAll(async () => {
  room = Fs.mkdtempSync(Path.join(Os.tmpdir(), "opensymphony-test-"))
  finished = await run("npm", ["start", "--silent"], {
    cwd: repository,
    env: { ...environment, TMPDIR: room },
    timeoutMs: 60_000
  })
  copy = Path.join(room, Fs.readdirSync(room).find((name) => name.startsWith("opensymphony-quickstart-")) ?? "")
}, 70_000)
afterAll(() => Fs.rmSync(room, { recursive: true, force: true }))

const log = async (issue: string): Promise<ReadonlyArray<string>> => {
  const { stdout } = await run("git", ["-C", Path.join(copy, "workspaces", issue), "log", "--format=%s"], { cwd: room })
  return stdout.trimEnd().split("\n").toReversed()
}

describe("npm start", () => {
  it("exits 0", () => {
    assert.strictEqual(finished.exitCode, 0, finished.stderr)
  })

  it("ends with every issue done", () => {
    const states = finished.stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t").slice(0, 3).join(" "))
    assert.deepStrictEqual(
      states,
      issues.toSorted().map((issue) => `${issue} Done released`)
    )
  })

  it("says where the workspaces are", () => {
    assert.include(finished.stderr, Path.join(copy, "workspaces"))
  })

  it("leaves a commit of the finished page in the workspace of every issue", async () => {
    const last = await Promise.all(issues.map(async (issue) => (await log(issue)).at(-1)))
    assert.deepStrictEqual(
      last,
      issues.map((issue) => `${issue}: finished`)
    )
  })

  it("gives an issue that asks for it a second turn", async () => {
    assert.deepStrictEqual(await log("GARDEN-3"), ["Begin the handbook", "GARDEN-3: drafted", "GARDEN-3: finished"])
  })

  it("changes nothing in the example itself", () => {
    assert.isFalse(Fs.existsSync(Path.join(repository, "examples", "quickstart", "workspaces")))
  })
})
