import { assert, describe, it } from "@effect/vitest"
import * as Os from "node:os"
import * as Path from "node:path"
import { filesBelow, repository, sourceFiles, textOf } from "./SourceFile.ts"

const longest = 400

describe("source files", () => {
  it(`have at most ${longest} lines: past that, two concepts share one`, () => {
    const long = sourceFiles()
      .map((file) => ({ file, lines: textOf(file).trimEnd().split("\n").length }))
      .filter(({ lines }) => lines > longest)
      .map(({ file, lines }) => `${file}: ${lines} lines`)
    assert.deepStrictEqual(long, [])
  })

  it("are named for the one concept they own", () => {
    const nameless = /^(utils?|helpers?|common|misc|shared|types?|constants?)$/i
    const wrong = sourceFiles().filter((file) => {
      const [name = "", ...folders] = file.split("/").slice(3).toReversed()
      const stem = Path.basename(name, ".ts")
      const isModule = stem === "index" || /^[A-Z][A-Za-z0-9]*$/.test(stem)
      return !isModule || nameless.test(stem) || folders.some((folder) => nameless.test(folder))
    })
    assert.deepStrictEqual(wrong, [])
  })
})

describe("the repository", () => {
  const files = filesBelow(".").filter((file) => /\.(ts|mjs|sh|md|json|ya?ml)$|\/(run|opensymphony)$/.test(file))

  it("names no path of one machine", () => {
    // Of this machine only what is telling: a checkout in a container's /src/, or / as home, would be found in any path.
    const here = [repository, `${Os.homedir()}/`].filter((path) => path.length > 5)
    const telling = [...here, ...["home", "Users"].map((homes) => `/${homes}/runner/`)]
    const machine = new RegExp(
      `(?<![\\w.~-])(?:${telling.map((path) => path.replaceAll(/[^\w/]/g, "\\$&")).join("|")})`
    )
    assert.deepStrictEqual(lines(files, machine), [])
  })

  it("names no registry, so that npm uses the one it is configured with", () => {
    const registry = /"resolved": "https?:|^\s*(?:@[\w-]+:)?registry\s*=/
    assert.deepStrictEqual(
      lines([...files, ...filesBelow(".").filter((file) => file.endsWith(".npmrc"))], registry),
      []
    )
  })
})

/** The lines of files that match, as `file:line: text`. */
function lines(files: ReadonlyArray<string>, pattern: RegExp): ReadonlyArray<string> {
  return files.flatMap((file) =>
    textOf(file)
      .split("\n")
      .flatMap((text, at) => (pattern.test(text) ? [`${file}:${at + 1}: ${text.trim()}`] : []))
  )
}
