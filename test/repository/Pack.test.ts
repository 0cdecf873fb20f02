import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { run } from "./Program.ts"
import { packages, repository, textOf } from "./SourceFile.ts"

// What somebody gets who installs the packages: packed as they would be published, installed in an empty folder.

const examples = Path.join(repository, "examples", "embedding")
const programs = Fs.existsSync(examples) ? Fs.readdirSync(examples).filter((name) => name.endsWith(".ts")) : []

const strictOptions =
  "--noEmit --strict --module nodenext --target es2024 --lib es2024,esnext.disposable --skipLibCheck".split(" ")

interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

let consumer = ""
let packed: ReadonlyArray<Packed> = []

async function succeed(command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, args, { cwd, timeoutMs: 180_000 })
  assert.strictEqual(exitCode, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`)
  return stdout
}

beforeAll(async () => {
  consumer = Fs.mkdtempSync(Path.join(Os.tmpdir(), "opensymphony-consumer-"))
  const report = await succeed(
    "npm",
    ["pack", "--workspaces", "--json", "--ignore-scripts", "--pack-destination", consumer],
    repository
  )
  // npm lists them by position or by name, depending on its version.
  packed = Object.values(JSON.parse(report) as ReadonlyArray<Packed> | Record<string, Packed>)
  Fs.writeFileSync(Path.join(consumer, "package.json"), '{ "private": true, "type": "module" }\n')
  const tarballs = packed.map(({ filename }) => `./${filename}`)
  await succeed(
    "npm",
    ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs],
    consumer
  )
}, 200_000)
afterAll(() => Fs.rmSync(consumer, { recursive: true }))

describe("the packed packages", () => {
  it("are all of them", () => {
    assert.sameMembers(
      packed.map(({ name }) => name),
      packages.map((name) => `@opensymphony/${name}`)
    )
  })

  it("hold the build and the sources, and nothing that only the repository needs", () => {
    const strange = packed.flatMap(({ name, files }) =>
      files
        .filter(
          ({ path }) =>
            !/^(src|dist|bin)\/|^(package\.json|LICENSE|README\.md)$/.test(path) || path.includes("tsbuildinfo")
        )
        .map(({ path }) => `${name}: ${path}`)
    )
    assert.deepStrictEqual(strange, [])
  })

  it("give the licences of what is bundled", () => {
    const text = Fs.readFileSync(Path.join(consumer, "node_modules/@opensymphony/cli/dist/THIRD-PARTY.txt"), "utf8")
    assert.match(text, /^effect \d/m)
  })

  it("install an opensymphony that answers with its version", async () => {
    const { version } = JSON.parse(textOf("packages/cli/package.json")) as { readonly version: string }
    const said = await succeed(Path.join(consumer, "node_modules", ".bin", "opensymphony"), ["--version"], consumer)
    assert.include(said, version)
  })

  it("can each be imported", async () => {
    const script = `const loaded = await Promise.all(process.argv.slice(1).map((name) => import(name)))
      console.log(loaded.filter((it) => Object.keys(it).length > 0).length)`
    const names = packed.map(({ name }) => name)
    const said = await succeed(process.execPath, ["--input-type=module", "--eval", script, ...names], consumer)
    assert.strictEqual(said.trim(), `${names.length}`)
  })

  it("bring declarations that a strict program compiles against", async () => {
    const text = packed.map(({ name }, at) => `export * as P${at} from "${name}"\n`).join("")
    Fs.writeFileSync(Path.join(consumer, "program.ts"), text)
    await succeed(Path.join(repository, "node_modules/.bin/tsc"), [...strictOptions, "program.ts"], consumer)
  })
})

describe("the embedding examples", () => {
  it("are an Effect program and a promise program at least", () => {
    assert.includeMembers(programs, ["effect.ts", "promise.ts"])
  })

  it.each(programs)("%s compiles and runs on the packed packages", async (name) => {
    Fs.copyFileSync(Path.join(examples, name), Path.join(consumer, name))
    const types = ["--types", "node", "--typeRoots", Path.join(repository, "node_modules/@types")]
    await succeed(Path.join(repository, "node_modules/.bin/tsc"), [...strictOptions, ...types, name], consumer)
    await succeed(process.execPath, [name], consumer)
  })
})
