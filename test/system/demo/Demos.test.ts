import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { run } from "../../repository/Program.ts"

const command = Path.resolve(import.meta.dirname, "..", "..", "..", "node_modules", ".bin", "opensymphony")

const directoryIn = (text: string): string => /workspaces are in (\S+)\/workspaces/.exec(text)?.[1] ?? ""

// What a newcomer sees who has neither an account nor a key: the built command, from an empty environment.
describe("opensymphony demo", () => {
  it.each(["linear", "openhands"])("works off the whole board with %s", { timeout: 120_000 }, async (name) => {
    const { exitCode, stderr, stdout } = await run(command, ["demo", name], {
      cwd: Os.tmpdir(),
      timeoutMs: 100_000
    })
    const directory = directoryIn(stderr)
    try {
      assert.strictEqual(exitCode, 0, stderr)
      const rows = stdout.trimEnd().split("\n")
      assert.lengthOf(rows, 7)
      for (const row of rows) assert.match(row, /^GARDEN-\d\tDone\treleased\t1\t/)
      assert.isTrue(Fs.existsSync(Path.join(directory, "workspaces", "GARDEN-4", "pages", "GARDEN-4.md")))
    } finally {
      if (directory !== "") Fs.rmSync(directory, { recursive: true })
    }
  })
})
