import { assert, describe, it } from "@effect/vitest"
import { packages, textOf } from "./SourceFile.ts"

interface Manifest {
  readonly name: string
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const read = (file: string): Manifest => JSON.parse(textOf(file))
const ours = packages.map((name) => read(`packages/${name}/package.json`))
const root = read("package.json")

const all = (manifest: Manifest): ReadonlyArray<readonly [string, string]> =>
  [manifest.dependencies, manifest.peerDependencies, manifest.devDependencies, manifest.optionalDependencies].flatMap(
    (it) => Object.entries(it ?? {})
  )

describe("dependencies", () => {
  it("have a reason each in docs/dependencies.md", () => {
    const reasons = textOf("docs/dependencies.md")
    const missing = [root, ...ours]
      .flatMap((manifest) => all(manifest).map(([name]) => name))
      .filter((name) => !name.startsWith("@opensymphony/") && !reasons.includes(`\`${name}\``))
    assert.deepStrictEqual([...new Set(missing)], [])
  })

  it("are pinned, except what an embedding program brings itself", () => {
    const loose = [root, ...ours].flatMap((manifest) =>
      all({ ...manifest, peerDependencies: {} }).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    )
    assert.deepStrictEqual(loose, [])
  })

  it("among the packages themselves are of their one version", () => {
    const version = ours[0]?.version
    const others = ours.flatMap((manifest) => [
      [manifest.name, manifest.version] as const,
      ...all(manifest).filter(([name]) => name.startsWith("@opensymphony/"))
    ])
    assert.deepStrictEqual(
      others.filter(([, it]) => it !== version),
      []
    )
  })

  it("agree on one version each", () => {
    const versions = new Map<string, Set<string>>()
    for (const [name, version] of [root, ...ours].flatMap((manifest) => all(manifest))) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version.replace("^", "")))
    }
    assert.deepStrictEqual(
      [...versions].filter(([, it]) => it.size > 1),
      []
    )
  })

  it("are what Effect 4 leaves to install: its own platform and schema packages are not among them", () => {
    const lock = textOf("package-lock.json")
    assert.notMatch(lock, /"node_modules\/@effect\/(platform|schema)"/)
  })
})
