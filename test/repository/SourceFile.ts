// The files of the repository as the tests in this folder look at them: which there are, and what they import.
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { parseSync, Visitor } from "rolldown/utils"

export const repository = fileURLToPath(new URL("../..", import.meta.url))

/** An import, export-from, `import()` or `import("...")` type; `specifier` is undefined when it is computed. */
export interface Import {
  /** Relative to the repository, with `/`. */
  readonly file: string
  readonly line: number
  readonly specifier: string | undefined
}

const generated = new Set(["node_modules", "dist", ".git", ".tsc", "coverage"])

/** Every file below a folder of the repository, relative to the repository, without what is generated or installed. */
export function filesBelow(folder: string): ReadonlyArray<string> {
  return Fs.readdirSync(Path.join(repository, folder), { withFileTypes: true })
    .filter((entry) => !generated.has(entry.name))
    .flatMap((entry) => {
      const path = Path.posix.join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
}

export const textOf = (file: string): string => Fs.readFileSync(Path.join(repository, file), "utf8")

/** The directories below packages/. */
export const packages: ReadonlyArray<string> = Fs.readdirSync(Path.join(repository, "packages"))

/** The TypeScript sources of all packages. */
export function sourceFiles(): ReadonlyArray<string> {
  return packages.flatMap((name) => filesBelow(`packages/${name}/src`)).filter((file) => file.endsWith(".ts"))
}

export function importsOf(file: string, text: string): ReadonlyArray<Import> {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((error) => error.message).join("; ")}`)
  const found: Array<Import> = []
  const add = (node: { readonly type: string; readonly start: number; readonly value?: unknown } | null): void => {
    if (node === null) return
    const line = text.slice(0, node.start).split("\n").length
    found.push({ file, line, specifier: typeof node.value === "string" ? node.value : undefined })
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source)
  }).visit(program)
  return found
}
