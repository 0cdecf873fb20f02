import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Ended, Project } from "../Harness.ts"

const identifiers: { readonly [stem: string]: string } = {
  "n-01": "../../x",
  "n-02": "a/b",
  "n-03": "a_b",
  "n-04": "ABC",
  "n-05": "abc",
  "n-06": ".",
  "n-07": "..",
  "n-08": "L".repeat(300),
  "n-09": `${"L".repeat(299)}M`,
  "n-10": "🚀🌱",
  "n-11": "🚀🌿",
  "n-12": ".opensymphony",
  "n-13": "-rf",
  "n-14": "$(touch /tmp/pwned) `id` \"'",
  "n-15": "/etc/passwd",
  "n-16": "a\\b",
  "n-17": "%s %d {{ x }}",
  "n-18": "\u202Eevil\u0000nul"
}
const stems = Object.keys(identifiers)

describe("identifiers that are no names of files", () => {
  let project: Project
  let ended: Ended
  let before: ReadonlyArray<string>
  let places: ReadonlyArray<string>

  beforeAll(async () => {
    const issues = Object.fromEntries(stems.map((stem) => [stem, { identifier: identifiers[stem] }]))
    project = Project.make({
      issues,
      settings: { workspace: { root: "deep/er/workspaces" }, agent: { max_concurrent_agents: 6 } },
      files: { "places/.keep": "" },
      agent: [
        "cat >/dev/null",
        'pwd -P > "${OPENSYMPHONY_WORKFLOW%/*}/places/$OPENSYMPHONY_ISSUE_ID"',
        '[ "$(pwd -P)" = "$OPENSYMPHONY_WORKSPACE" ] || exit 3',
        "move Done"
      ].join("\n")
    })
    Fs.mkdirSync(project.path("deep/er"), { recursive: true })
    before = project.list(".")
    ended = await project.start(["run", "--until-idle"]).exit()
    places = stems.map((stem) => project.read(`places/${stem}`).trimEnd())
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it("all finish", () => {
    assert.deepStrictEqual(
      stems.map((stem) => `${stem} ${project.state(stem)}`),
      stems.map((stem) => `${stem} Done`),
      ended.stderr
    )
    assert.strictEqual(ended.code, 0)
  })

  it("get a workspace each, directly in the root", () => {
    const root = project.path("deep/er/workspaces")
    assert.deepStrictEqual([...new Set(places.map((place) => Path.dirname(place)))], [root])
    assert.strictEqual(new Set(places.map((place) => place.toLowerCase())).size, stems.length - 1, "ABC and abc only")
    assert.strictEqual(new Set(places).size, stems.length)
  })

  it("touch nothing else", () => {
    assert.deepStrictEqual(project.list("."), before)
    assert.deepStrictEqual(project.list("deep"), ["er"])
    assert.deepStrictEqual(project.list("deep/er"), ["workspaces"])
    assert.isFalse(Fs.existsSync("/tmp/pwned"))
  })

  it("take one line each in the summary", () => {
    assert.strictEqual(ended.stdout.trimEnd().split("\n").length, stems.length)
    assert.strictEqual(ended.summary.get("../../x")?.state, "Done")
  })
})

describe("something in the place of a workspace", () => {
  let project: Project
  let ended: Ended

  beforeAll(async () => {
    project = Project.make({
      issues: { "A-1": {}, "A-2": {}, "A-3": {}, "A-4": {} },
      settings: { limits: { max_failures: 2 } },
      files: { "elsewhere/precious": "keep me\n", "workspaces/A-2": "a plain file\n" },
      agent: "cat >/dev/null; touch was-here; move Done"
    })
    Fs.symlinkSync(project.path("elsewhere"), project.path("workspaces/A-1"))
    Fs.symlinkSync(project.path("nowhere"), project.path("workspaces/A-3"))
    ended = await project.start(["run", "--until-idle"]).exit()
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it("holds an issue whose workspace is a symbolic link, and says so", () => {
    const row = ended.summary.get("A-1")
    assert.strictEqual(row?.phase, "held", ended.stderr)
    assert.match(row?.reason ?? "", /workspaces\/A-1 is a symbolic link/)
  })

  it("holds an issue whose workspace is a link to nowhere, and makes nothing there", () => {
    assert.match(ended.summary.get("A-3")?.reason ?? "", /workspaces\/A-3 is a symbolic link/)
    assert.isFalse(project.exists("nowhere"))
  })

  it("holds an issue whose workspace is a plain file, and says so", () => {
    const row = ended.summary.get("A-2")
    assert.strictEqual(row?.phase, "held")
    assert.match(row?.reason ?? "", /workspaces\/A-2 is not a directory/)
  })

  it("does not follow the link, and leaves the file alone", () => {
    assert.deepStrictEqual(project.list("elsewhere"), ["precious"])
    assert.strictEqual(project.read("elsewhere/precious"), "keep me\n")
    assert.strictEqual(project.read("workspaces/A-2"), "a plain file\n")
    assert.isTrue(Fs.lstatSync(project.path("workspaces/A-1")).isSymbolicLink())
  })

  it("lets the others finish", () => {
    assert.deepStrictEqual([ended.code, project.state("A-4")], [1, "Done"])
  })
})

describe("a workspace root that cannot be used", () => {
  const refuse = async (root: string) => {
    await using project = Project.make({
      issues: { "A-1": {} },
      settings: { workspace: { root } },
      files: { "a-file": "not a directory\n" }
    })
    const ended = await project.start(["run", "--until-idle"]).exit()
    return { ended, path: project.path(root), left: project.processes(), state: project.state("A-1") }
  }

  for (const root of ["a-file/workspaces", "a-file"]) {
    it(`is named in a start-up error: ${root}`, async () => {
      const { ended, path, state } = await refuse(root)
      assert.strictEqual(ended.code, 1)
      assert.strictEqual(ended.stdout, "")
      assert.include(ended.stderr, path)
      assert.include(ended.stderr, "workspace.root")
      assert.notMatch(ended.stderr, /^\s+at |Error:|Cause|undefined/m)
      assert.strictEqual(state, "Todo")
    })
  }

  it("is named where something stands in the place of the orchestrator's own directory", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, files: { "workspaces/.opensymphony": "mine\n" } })
    const ended = await project.start(["run"]).exit()
    assert.deepStrictEqual([ended.code, project.read("workspaces/.opensymphony")], [1, "mine\n"])
    assert.match(ended.stderr, /workspaces\/\.opensymphony must be a directory of opensymphony's own/)
  })

  it("may be a symbolic link to a directory", async () => {
    await using project = Project.make({ issues: { "A-1": {} }, files: { "disk/.keep": "" } })
    Fs.symlinkSync(project.path("disk"), project.path("workspaces"))
    const ended = await project.start(["run", "--until-idle"]).exit()
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.include(project.list("disk"), "A-1")
  })
})
