import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { TestConsole } from "effect/testing"
import { simulate, type SimulateOptions } from "../../src/run/SimulateProgram.ts"

const platform = Layer.merge(NodeServices.layer, TestConsole.layer)

const run = (options: Partial<SimulateOptions>, sabotage?: Parameters<typeof simulate>[1]) =>
  Effect.gen(function* () {
    const all = { seed: 7, seeds: 1, trace: null, world: "pure", profile: "normal", ...options } as const
    const status = yield* simulate(all, sabotage)
    return { status, lines: (yield* TestConsole.logLines).map(String), errors: yield* TestConsole.errorLines }
  })

describe("opensymphony simulate", () => {
  it.live("ends with its figures in one line", () =>
    Effect.gen(function* () {
      const { lines, status } = yield* run({ seeds: 2 })
      assert.strictEqual(status, 0)
      assert.match(
        lines.at(-1) ?? "",
        /^seeds=2 violations=0 events=\d+ events_per_second=\d+ virtual_hours_per_second=\d+ marks=\d+\/\d+$/
      )
    }).pipe(Effect.provide(platform))
  )

  it.live("writes the same trace for the same seed, violation or not", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* fs.makeTempDirectoryScoped()
      const files = ["one", "two"].map((name) => path.join(directory, name))
      for (const trace of files) yield* run({ trace, seed: 11 })
      const [one = "", two] = yield* Effect.forEach(files, (file) => fs.readFileString(file))
      assert.match(one, /^ 0d 00:00:00\.000 +Started +PollCandidates\n/)
      assert.strictEqual(two, one)
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  it.live("draws a seed when none is given, and tells it", () =>
    Effect.gen(function* () {
      const { lines } = yield* run({ seed: null, profile: "calm" })
      assert.match(lines[0] ?? "", /^worlds (\d+) to \1, calm$/)
    }).pipe(Effect.provide(platform))
  )

  it.live("lives live worlds, and traces them the same way again", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* fs.makeTempDirectoryScoped()
      const files = ["one", "two"].map((name) => path.join(directory, name))
      for (const trace of files) {
        const { lines, status } = yield* run({ world: "live", profile: "calm", trace, seed: 3 })
        assert.strictEqual(status, 0)
        assert.match(lines.at(-1) ?? "", /^seeds=1 violations=0 events=\d+ /)
      }
      const [one = "", two] = yield* Effect.forEach(files, (file) => fs.readFileString(file))
      assert.match(one, /RunLaunched/)
      assert.strictEqual(two, one)
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

  it.live("tells of a broken rule what, where and how to see it again", () =>
    Effect.gen(function* () {
      const { lines, status } = yield* run({ world: "live", seeds: 2 }, { lies: { startsTwoAgents: true } })
      assert.strictEqual(status, 1)
      const told = lines.findIndex((line) => line.startsWith("seed 7, "))
      assert.match(lines[told] ?? "", /^seed 7, (commit|version) \S+: rule 1 \(OneLiveRun\) is broken: /)
      assert.match(lines[told + 2] ?? "", /TIME +ISSUE +EVENT +PHASE +COMMANDS/)
      assert.include(lines, "to see it again: opensymphony simulate --world live --profile normal --seed 7")
      assert.match(lines.at(-1) ?? "", /^seeds=2 violations=2 events=/)
    }).pipe(Effect.provide(platform))
  )

  it.live("says why a trace cannot be written", () =>
    Effect.gen(function* () {
      const { errors, status } = yield* run({ profile: "calm", trace: "/no/such/folder/trace" })
      assert.strictEqual(status, 1)
      assert.match(String(errors[0]), /cannot be written to \/no\/such\/folder\/trace/)
    }).pipe(Effect.provide(platform))
  )

  it.live("refuses seeds that it cannot count", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* run({ seeds: 0 })).status, 2)
      assert.strictEqual((yield* run({ seed: Number.MAX_SAFE_INTEGER, seeds: 2 })).status, 2)
    }).pipe(Effect.provide(platform))
  )
})
