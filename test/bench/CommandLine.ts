// What a person waits for the built command to say something.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const repetitions = 15
const targetMs = 300
const command = fileURLToPath(new URL("../../node_modules/.bin/opensymphony", import.meta.url))
const bundle = fileURLToPath(new URL("../../packages/cli/dist/opensymphony.mjs", import.meta.url))

const wallTime = (program: string, words: ReadonlyArray<string>): number => {
  const begin = performance.now()
  const { status, stderr } = spawnSync(program, words, { encoding: "utf8" })
  const ms = performance.now() - begin
  if (status !== 0) throw new Error(`${program} ${words.join(" ")} ended with ${status}: ${stderr}`)
  return ms
}

export const measure = (): Section => {
  if (!existsSync(bundle)) throw new Error("there is no bundle to measure; run `npm run build` first")
  const help: Array<number> = []
  const bare: Array<number> = []
  // The first run fills the compile cache, as the first run after an installation does.
  wallTime(command, ["--help"])
  for (let index = 0; index < repetitions; index++) {
    help.push(wallTime(command, ["--help"]))
    bare.push(wallTime(process.execPath, ["-e", "0"]))
  }
  const baseline = Statistics.smallest(bare)
  const figure = (name: string, samples: ReadonlyArray<number>, target: number | null): Figure => ({
    name,
    value: Statistics.median(samples),
    best: Statistics.smallest(samples),
    unit: "ms",
    target,
    comparison: { with: "node -e 0", ratio: Statistics.smallest(samples) / baseline }
  })
  return {
    title: "opensymphony --help",
    how: `wall time of the built command, compile cache filled; median of ${repetitions}, and the best`,
    figures: [figure("opensymphony --help", help, targetMs), figure("node -e 0", bare, null)]
  }
}
