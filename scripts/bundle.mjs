// Bundles the command line program into packages/cli/dist/opensymphony.mjs, which packages/cli/bin/opensymphony loads.
// One file per lazily imported subcommand; everything else in one: a program of hundreds of modules starts slowly.
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const repository = fileURLToPath(new URL("..", import.meta.url))
const dist = join(repository, "packages", "cli", "dist")
const chunks = join(dist, "chunks")

const bundle = await rolldown({
  cwd: repository,
  input: { opensymphony: join(repository, "packages", "cli", "src", "Main.ts") },
  platform: "node",
  external: [],
  resolve: { conditionNames: ["opensymphony-src", "node", "import", "module", "default"] },
  onLog(level, log, handle) {
    // An import that is left out of the bundle would be missing on the machine of whoever installs the package.
    if (level === "warn") throw new Error(log.message)
    handle(level, log)
  }
})
const { output } = await bundle.generate({
  format: "esm",
  minify: true,
  entryFileNames: "[name].mjs",
  chunkFileNames: "chunks/[name]-[hash].mjs"
})
await bundle.close()

/** Writes beside the target and renames: a program that starts meanwhile reads the old file or the new one, never half of one. */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = `${path}.${process.pid}.tmp`
  writeFileSync(unfinished, text)
  renameSync(unfinished, path)
}

/** The directory of the package that a bundled module comes from; undefined for our own. */
function packageOf(moduleId) {
  const parts = moduleId.split(sep)
  const at = parts.lastIndexOf("node_modules")
  if (at === -1) return undefined
  const depth = parts[at + 1].startsWith("@") ? 3 : 2
  return parts.slice(0, at + depth).join(sep)
}

function licenceOf(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"))
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry))
  if (file === undefined) throw new Error(`${name} is bundled and has no licence file`)
  return `${name} ${version} (${license})\n\n${readFileSync(join(directory, file), "utf8").trim()}\n`
}

const bundled = new Set(output.flatMap((chunk) => chunk.moduleIds.map(packageOf)).filter((it) => it !== undefined))
const licences = [...bundled].sort().map(licenceOf)
write(
  join(dist, "THIRD-PARTY.txt"),
  `Programs bundled into opensymphony.mjs.\n\n${licences.join(`\n${"-".repeat(80)}\n\n`)}`
)

// The entry comes last, when the chunks that it names are there.
for (const chunk of output.toReversed()) write(join(dist, chunk.fileName), chunk.code)

// A program that is just starting may still load the chunks of the build before: those go with a later build.
const current = new Set(output.map((chunk) => join(dist, chunk.fileName)))
const aWhileAgo = Date.now() - 600_000
mkdirSync(chunks, { recursive: true })
for (const path of readdirSync(chunks).map((name) => join(chunks, name))) {
  if (!current.has(path) && statSync(path).mtimeMs < aWhileAgo) rmSync(path)
}

// What `opensymphony demo` works off.
cpSync(join(repository, "examples", "quickstart"), join(dist, "quickstart"), {
  recursive: true,
  filter: (path) => !path.endsWith(`${sep}workspaces`)
})

const bytes = output.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.code), 0)
process.stderr.write(`opensymphony.mjs: ${Math.round(bytes / 1024)} kB in ${output.length} files\n`)
