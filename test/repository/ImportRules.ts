// Who may import whom (docs/architecture.md): packages downwards, folders inside core downwards, nothing sideways past a
// package's door. Where the linter has the same rule, it is there for the editor; this is the one that counts.
import { isBuiltin } from "node:module"
import * as Path from "node:path"
import type { Import } from "./SourceFile.ts"

/** Each may import those before it. */
const packageOrder = ["core", "adapters-fs", "adapters-command", "adapters-linear", "adapters-openhands", "cli"]

/** The folders of packages/core/src; each may import those before it. */
const coreOrder = ["domain", "workflow", "ports", "scheduler", "session", "orchestrator", "testing"]

const coreDependencies = new Set(["effect", "yaml", "liquidjs"])

/** What is wrong with an import; undefined when nothing is. `declared` is what the package.json of its package names. */
export function offence(it: Import, declared: ReadonlySet<string>): string | undefined {
  const [, home = "", , ...inside] = it.file.split("/")
  if (!packageOrder.includes(home))
    return `packages/${home} is not in the order of packages (test/repository/ImportRules.ts)`
  if (it.specifier === undefined) return "a computed import cannot be checked"
  if (it.specifier.startsWith(".")) return relativeOffence(it.file, it.specifier, home, inside)
  return bareOffence(it.specifier, home, inside, declared)
}

function relativeOffence(
  file: string,
  specifier: string,
  home: string,
  inside: ReadonlyArray<string>
): string | undefined {
  const target = Path.posix.join(Path.posix.dirname(file), specifier)
  if (!target.startsWith(`packages/${home}/src/`)) return "a relative import leaves the sources of its package"
  if (!target.endsWith(".ts")) return "a relative import is written with .ts"
  if (Path.posix.basename(target) === "index.ts") return "an index.ts is for other packages; import the module itself"
  if (home !== "core" || inside.length === 1) return undefined
  const [from = "", to = ""] = [inside[0], target.split("/")[3]]
  if (!coreOrder.includes(from))
    return `core/src/${from} is not in the order of folders (test/repository/ImportRules.ts)`
  if (coreOrder.indexOf(to) === -1) return `core/src/${from} imports ${to}, which is above every folder`
  if (coreOrder.indexOf(to) > coreOrder.indexOf(from)) return `core/src/${from} imports upwards, from core/src/${to}`
  return undefined
}

function bareOffence(
  specifier: string,
  home: string,
  inside: ReadonlyArray<string>,
  declared: ReadonlySet<string>
): string | undefined {
  if (isBuiltin(specifier)) {
    if (home === "cli" || (inside[0] === "testing" && home !== "core")) return undefined
    return "a Node module; only the cli package, and the fake servers of adapters, choose Node"
  }
  const [first = "", second = ""] = specifier.split("/")
  const name = first.startsWith("@") ? `${first}/${second}` : first
  if (specifier === "effect" || specifier === "@effect/platform-node") {
    return "a barrel; import the module, it loads several times faster"
  }
  if (first === "@opensymphony") {
    if (second === home) return "a package imports itself by name; import the module relatively"
    if (!packageOrder.includes(second)) return `@opensymphony/${second} is not in the order of packages`
    if (packageOrder.indexOf(second) > packageOrder.indexOf(home)) return `${home} imports upwards, from ${second}`
  }
  if (name.startsWith("@effect/platform-") && home !== "cli") return "a platform; only the cli package chooses one"
  if (home === "core" && !coreDependencies.has(name)) return "core imports effect, yaml and liquidjs, and nothing else"
  if (!declared.has(name)) return `${name} is not in packages/${home}/package.json`
  return undefined
}
