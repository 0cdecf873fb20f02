// Global set-up of this folder: its tests run the bundle, so a bundle older than the sources is made anew first.
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"

const repository = Path.resolve(import.meta.dirname, "..", "..")
const bundle = Path.join(repository, "packages", "cli", "dist", "opensymphony.mjs")

const modified = (path: string): number => Fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** What the bundle is made of. */
const sources = (): ReadonlyArray<string> =>
  [
    "package-lock.json",
    "scripts/bundle.mjs",
    ...Fs.globSync("packages/*/{src/**/*.ts,package.json}", { cwd: repository })
  ].map((path) => Path.join(repository, path))

export function setup(): void {
  const built = modified(bundle)
  const newer = sources().find((path) => modified(path) >= built)
  if (newer === undefined) return
  process.stderr.write(`${Path.relative(repository, newer)} is newer than the bundle, which is made anew\n`)
  execFileSync(process.execPath, [Path.join("scripts", "bundle.mjs")], { cwd: repository, stdio: "inherit" })
}
