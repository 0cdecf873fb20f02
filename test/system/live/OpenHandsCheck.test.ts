import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { environment, run } from "../../repository/Program.ts"

// The check of the real agent-server, where there is none to be had.
const repository = Path.resolve(import.meta.dirname, "..", "..", "..")
const program = Path.join(repository, "test", "live", "openhands", "main.ts")

describe("the check of the real agent-server", () => {
  it("says that it is skipped, and why, where there is no Python", async () => {
    const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "without-python-"))
    try {
      const env = { ...environment, HOME: home, PATH: home, PYENV_ROOT: home, OPENSYMPHONY_OPENHANDS_PYTHON: "" }
      const args = ["--conditions=opensymphony-src", program, Path.join(home, "server")]
      const { exitCode, stdout } = await run(process.execPath, args, { cwd: repository, env, timeoutMs: 60_000 })
      assert.strictEqual(exitCode, 0)
      assert.match(stdout, /^SKIPPED: .*neither uv nor a Python of version 3\.12 or later was found/)
    } finally {
      Fs.rmSync(home, { recursive: true, force: true })
    }
  })
})
