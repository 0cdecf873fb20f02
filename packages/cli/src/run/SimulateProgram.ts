/** `opensymphony simulate`: lives simulated worlds, tells of every broken rule, and sums up in one line. */
import * as Failure from "@opensymphony/core/testing/simulator/Failure"
import * as Marks from "@opensymphony/core/testing/simulator/Marks"
import type * as Profile from "@opensymphony/core/testing/simulator/Profile"
import * as Simulation from "@opensymphony/core/testing/simulator/Simulation"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import { execFile } from "node:child_process"
import { sep } from "node:path"
import { version } from "../Version.ts"

export interface SimulateOptions {
  /** Null: a random one. */
  readonly seed: number | null
  readonly seeds: number
  readonly trace: string | null
  readonly world: Simulation.Depth
  readonly profile: Profile.ProfileKind
}

const failed = 1
const wrongUsage = 2
/** A run of this many worlds has to reach every mark. */
const longRunSeeds = 2_000
/** Worlds of which a broken rule is told in full; of later ones in a line. */
const toldInFull = 3
const nanosPerSecond = 1e9
const hourMs = 3_600_000

/** The version, and in a checkout the commit too. */
const build = Effect.promise(
  () =>
    new Promise<string>((resolve) => {
      const here = import.meta.dirname
      if (here.split(sep).includes("node_modules")) return resolve(`version ${version}`)
      execFile("git", ["-C", here, "rev-parse", "--short", "HEAD"], { timeout: 5_000 }, (error, stdout) =>
        resolve(error === null ? `commit ${stdout.trim()}` : `version ${version}`)
      )
    })
)

/** What is wrong with the worlds from the outset, to see that it is found. */
type Sabotage = Pick<Simulation.Options, "transition" | "lies">

const tell = Effect.fnUntraced(function* (world: Simulation.Options, told: number) {
  const { profile, seed } = world
  const command = `opensymphony simulate --world ${world.world} --profile ${profile} --seed ${seed}`
  const failure = Failure.find(world)
  if (failure === null) return yield* Console.log(`seed ${seed} broke a rule once and not again: this is a bug`)
  const lines = Failure.render(failure, yield* build, command)
  for (const line of told < toldInFull ? lines : lines.slice(0, 1)) yield* Console.log(line)
})

/** Answers whether it could be written. */
const writeTrace = Effect.fnUntraced(function* (path: string, options: Simulation.Options) {
  const fs = yield* FileSystem.FileSystem
  const { trace } = Simulation.run({ ...options, trace: true })
  const text = trace.map((line) => `${line.text}\n`).join("")
  return yield* fs.writeFileString(path, text).pipe(
    Effect.as(true),
    Effect.catch(({ message }) =>
      Effect.as(
        Console.error(
          `opensymphony: the trace cannot be written to ${path}: ${message}; name a file that can be written`
        ),
        false
      )
    )
  )
})

/** Answers with the exit status. */
export const simulate = Effect.fnUntraced(function* (options: SimulateOptions, sabotage: Sabotage = {}) {
  const { profile, seeds, world } = options
  const worldOf = (seed: number): Simulation.Options => ({ ...sabotage, seed, profile, world })
  if (seeds < 1) {
    yield* Console.error("opensymphony: --seeds must be at least 1")
    return wrongUsage
  }
  const first = options.seed ?? (yield* Random.nextIntBetween(0, 2 ** 31))
  const last = first + (seeds - 1)
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) {
    yield* Console.error(`opensymphony: seeds must be whole numbers up to ${Number.MAX_SAFE_INTEGER}`)
    return wrongUsage
  }
  yield* Console.log(`worlds ${first} to ${last}, ${profile}`)
  if (options.trace !== null && !(yield* writeTrace(options.trace, worldOf(first)))) return failed

  const reached = new Set<string>()
  let violations = 0
  let events = 0
  let virtualMs = 0
  const startedAt = yield* Clock.currentTimeNanos
  for (let seed = first; seed <= last; seed++) {
    const outcome = Simulation.run(worldOf(seed))
    events += outcome.events
    virtualMs += outcome.virtualMs
    for (const mark of outcome.marks) reached.add(mark)
    if (outcome.violation !== null) yield* tell(worldOf(seed), violations++)
    yield* Effect.yieldNow
  }
  const seconds = Math.max(1e-6, Number((yield* Clock.currentTimeNanos) - startedAt) / nanosPerSecond)

  const missing = Marks.expected.filter((mark) => !reached.has(mark))
  const isLong = seeds >= longRunSeeds && profile !== "calm" && world === "pure"
  if (isLong) for (const mark of missing) yield* Console.log(`no world reached: ${mark}`)
  yield* Console.log(`${(seeds / seconds).toFixed(1)} seeds per second`)
  const figures = [
    `seeds=${seeds}`,
    `violations=${violations}`,
    `events=${events}`,
    `events_per_second=${Math.round(events / seconds)}`,
    `virtual_hours_per_second=${Math.round(virtualMs / hourMs / seconds)}`,
    `marks=${Marks.expected.length - missing.length}/${Marks.expected.length}`
  ]
  yield* Console.log(figures.join(" "))
  return violations > 0 || (isLong && missing.length > 0) ? failed : 0
})
