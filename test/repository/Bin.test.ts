import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { environment, run } from "./Program.ts"
import { repository } from "./SourceFile.ts"

const committed = Path.join(repository, "packages", "cli", "bin")

// A space in every path: the shell half of the stub has to quote.
let room = ""
let next = 0
beforeAll(() => {
  room = Fs.mkdtempSync(Path.join(Os.tmpdir(), "opensymphony bin "))
})
afterAll(() => Fs.rmSync(room, { recursive: true }))

function directory(name: string): string {
  next += 1
  const path = Path.join(room, `${next}`, name)
  Fs.mkdirSync(path, { recursive: true })
  return path
}

/** A directory with a `node` in it that prints its own process id and arguments, one a line. */
function fakeNode(into: string): string {
  const file = Path.join(into, "node")
  Fs.writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$$" "$@"\n`, { mode: 0o755 })
  return into
}

/** The stub as it lies in an installed package, beside a build that is `program`, or beside none. */
function installed(program?: string): string {
  const home = directory("cli")
  Fs.cpSync(committed, Path.join(home, "bin"), { recursive: true })
  if (program !== undefined) {
    Fs.mkdirSync(Path.join(home, "dist"))
    Fs.writeFileSync(Path.join(home, "dist", "opensymphony.mjs"), program)
  }
  return Path.join(home, "bin", "opensymphony")
}

const lines = (text: string): ReadonlyArray<string> => text.trimEnd().split("\n")

describe("packages/cli/bin/opensymphony", () => {
  it("becomes the node that is installed beside its link, with its arguments, in the process that was started", async () => {
    const bin = fakeNode(directory(".bin"))
    const link = Path.join(bin, "opensymphony")
    Fs.symlinkSync(Path.join(committed, "opensymphony"), link)
    const { pid, stdout } = await run(link, ["run", "a b", "$HOME", ""], { cwd: room })
    assert.deepStrictEqual(stdout.split("\n"), [`${pid}`, link, "run", "a b", "$HOME", "", ""])
  })

  it("takes the node of PATH where none is beside it", async () => {
    const path = fakeNode(directory("programs"))
    const { pid, stdout } = await run(installed(), ["--version"], { cwd: room, env: { PATH: path } })
    assert.strictEqual(lines(stdout)[0], `${pid}`)
    assert.strictEqual(lines(stdout).at(-1), "--version")
  })

  it("is found through PATH", async () => {
    const bin = fakeNode(directory(".bin"))
    Fs.symlinkSync(Path.join(committed, "opensymphony"), Path.join(bin, "opensymphony"))
    const { stdout } = await run("/bin/sh", ["-c", "opensymphony help"], { cwd: room, env: { PATH: bin } })
    assert.deepStrictEqual(lines(stdout).slice(1), [Path.join(bin, "opensymphony"), "help"])
  })

  it("says so where there is no node at all", async () => {
    const { exitCode, stderr } = await run(installed(), [], { cwd: room, env: { PATH: directory("empty") } })
    assert.strictEqual(exitCode, 1)
    assert.match(stderr, /^opensymphony: needs Node 24 or newer, and finds no node on PATH.*\n$/)
  })

  it("sends an older Node away in one sentence", async () => {
    const older = `Object.defineProperty(process, "versions", { value: { node: "20.9.1" } }); require(process.argv[1])`
    const { exitCode, stderr, stdout } = await run(process.execPath, ["-e", older, installed("throw 1")], { cwd: room })
    assert.strictEqual(exitCode, 1)
    assert.strictEqual(stdout, "")
    assert.match(stderr, /^opensymphony: needs Node 24 or newer, and runs on 20\.9\.1 .*\n$/)
  })

  it("names the command to run where the build is missing", async () => {
    const { exitCode, stderr } = await run(process.execPath, [installed()], { cwd: room })
    assert.strictEqual(exitCode, 1)
    assert.match(stderr, /^opensymphony: the build is missing .*npm run build.*\n$/)
  })

  it("runs the build, silently, with the arguments it was given", async () => {
    const stub = installed("console.log(JSON.stringify(process.argv.slice(2)))")
    const finished = await run(stub, ["explain", "a b"], { cwd: room, env: environment })
    assert.deepStrictEqual([finished.stdout, finished.stderr, finished.exitCode], ['["explain","a b"]\n', "", 0])
  })
})
