import { assert, describe, it } from "@effect/vitest"
import { offence } from "./ImportRules.ts"
import { importsOf, packages, sourceFiles, textOf } from "./SourceFile.ts"

const manifestOf = (name: string): { dependencies?: object; peerDependencies?: object } =>
  JSON.parse(textOf(`packages/${name}/package.json`))

const declared = new Map(
  packages.map((name) => {
    const { dependencies = {}, peerDependencies = {} } = manifestOf(name)
    return [name, new Set(Object.keys({ ...dependencies, ...peerDependencies }))] as const
  })
)

describe("imports", () => {
  it("run downwards only, between packages and inside core", () => {
    const imports = sourceFiles().flatMap((file) => importsOf(file, textOf(file)))
    assert.isAbove(imports.length, 100)
    const offences = imports.flatMap((it) => {
      const wrong = offence(it, declared.get(it.file.split("/")[1] ?? "") ?? new Set())
      return wrong === undefined ? [] : [`${it.file}:${it.line}: "${it.specifier ?? "(computed)"}": ${wrong}`]
    })
    assert.deepStrictEqual(offences, [])
  })
})

describe("the import rules", () => {
  const everything = new Set([...declared.values()].flatMap((names) => [...names]))
  const check = (file: string, specifier: string | undefined) =>
    offence({ file: `packages/${file}`, line: 1, specifier }, everything)

  it.each([
    ["a Node module in core", "core/src/domain/Issue.ts", "node:fs"],
    ["a Node module without its prefix", "core/src/domain/Issue.ts", "path"],
    ["a Node module in an adapter", "adapters-fs/src/Files.ts", "node:fs"],
    ["an adapter in core", "core/src/session/Session.ts", "@opensymphony/adapters-fs"],
    ["a platform in core", "core/src/session/Session.ts", "@effect/platform-node/NodeRuntime"],
    ["a platform in an adapter", "adapters-command/src/Turn.ts", "@effect/platform-node/NodeRuntime"],
    ["a library that core has no use for", "core/src/session/Session.ts", "undici"],
    ["a lower layer that imports a higher one", "core/src/domain/Issue.ts", "../scheduler/State.ts"],
    ["a layer that imports the package's door", "core/src/testing/Simulation.ts", "../index.ts"],
    ["a file beside the layers", "core/src/testing/Simulation.ts", "../Everything.ts"],
    ["a layer nobody has placed", "core/src/plumbing/Pipe.ts", "./Tap.ts"],
    ["an adapter that imports a later one", "adapters-fs/src/Files.ts", "@opensymphony/adapters-command"],
    ["the cli below the cli", "adapters-command/src/Turn.ts", "@opensymphony/cli"],
    ["a package by its own name", "adapters-fs/src/Files.ts", "@opensymphony/adapters-fs"],
    ["a neighbour's sources", "cli/src/Run.ts", "../../core/src/domain/Issue.ts"],
    ["the barrel of platform-node", "cli/src/Run.ts", "@effect/platform-node"],
    ["the barrel of effect", "cli/src/Run.ts", "effect"],
    ["a package nobody has placed", "gadget/src/Gadget.ts", "effect/Effect"],
    ["a specifier that is computed", "cli/src/Run.ts", undefined]
  ])("refuse %s", (_, file, specifier) => {
    assert.isString(check(file, specifier))
  })

  it("refuse what the package.json does not name", () => {
    assert.match(
      offence({ file: "packages/cli/src/Run.ts", line: 1, specifier: "yaml" }, new Set(["effect"])) ?? "",
      /yaml is not in packages\/cli\/package.json/
    )
  })

  it.each([
    ["core/src/testing/Simulation.ts", "../scheduler/State.ts"],
    ["core/src/domain/Issue.ts", "./Ids.ts"],
    ["core/src/index.ts", "./domain/Issue.ts"],
    ["core/src/workflow/Template.ts", "liquidjs"],
    ["adapters-command/src/Turn.ts", "@opensymphony/adapters-fs/Hooks"],
    ["cli/src/Run.ts", "node:process"],
    ["cli/src/Run.ts", "@effect/platform-node/NodeRuntime"]
  ])("let %s import %s", (file, specifier) => {
    assert.isUndefined(check(file, specifier))
  })

  it("see every way to import", () => {
    const text = [
      'import type { A } from "a"',
      'import * as B from "b"',
      'import "c"',
      'export * from "d"',
      'export { e } from "e"',
      'const f = await import("f")',
      'type G = import("g").G',
      "await import(f)",
      '// import "not this one"'
    ].join("\n")
    assert.deepStrictEqual(
      importsOf("packages/cli/src/Every.ts", text).map(({ line, specifier }) => `${line} ${specifier ?? "?"}`),
      ["1 a", "2 b", "3 c", "4 d", "5 e", "6 f", "7 g", "8 ?"]
    )
  })
})
