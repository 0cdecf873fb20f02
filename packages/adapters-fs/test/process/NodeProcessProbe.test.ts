import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as LinuxProcessTable from "../../src/process/LinuxProcessTable.ts"
import * as NodeProcessProbe from "../../src/process/NodeProcessProbe.ts"
import { ProcessProbe } from "../../src/process/ProcessProbe.ts"
import * as PsProcessTable from "../../src/process/PsProcessTable.ts"

const platform = NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))

/** A process in a group of its own, ended with the test; and the first line it writes. */
const started = (script: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn("sh", ["-c", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] })
      const [line] = await once(child.stdout, "data")
      return { child, pid: child.pid ?? 0, line: String(line).trim() }
    }),
    ({ child }) => Effect.promise(() => kill(child))
  )

const kill = async (child: ChildProcess) => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, "exit")
  process.kill(-(child.pid ?? 0), "SIGKILL")
  await exited
}

const tables = [
  ["ps", PsProcessTable.make],
  ...(process.platform === "linux" ? [["/proc", LinuxProcessTable.make] as const] : [])
] as const

describe.each(tables)("processes as %s tells them", (_, make) => {
  it.live("have a start time that stays the same while they live", () =>
    Effect.gen(function* () {
      const table = yield* make
      const { pid } = yield* started("echo up; exec sleep 60")
      const first = yield* table.startTime(pid)
      assert.isNotNull(first)
      assert.strictEqual(yield* table.startTime(pid), first)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("are none after they ended", () =>
    Effect.gen(function* () {
      const table = yield* make
      const { child, pid } = yield* started("echo up; exec sleep 60")
      yield* Effect.promise(() => kill(child))
      assert.deepStrictEqual([yield* table.startTime(pid), yield* table.hasMember(pid)], [null, false])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  // Only Linux has setsid(1), which gives the child a group of its own.
  it.live.skipIf(process.platform !== "linux")("are none when they are zombies", () =>
    Effect.gen(function* () {
      const table = yield* make
      // The parent turns into a program that never collects its child.
      const { line } = yield* started("setsid sleep 0.01 & echo $!; exec sleep 60")
      yield* Effect.sleep(100)
      const zombie = Number(line)
      assert.doesNotThrow(() => process.kill(-zombie, 0))
      assert.deepStrictEqual([yield* table.startTime(zombie), yield* table.hasMember(zombie)], [null, false])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("keep a group alive that its leader has left", () =>
    Effect.gen(function* () {
      const table = yield* make
      const { child, pid } = yield* started("sleep 60 & echo up")
      if (child.exitCode === null) yield* Effect.promise(() => once(child, "exit"))
      yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(-pid, "SIGKILL")))
      assert.deepStrictEqual([yield* table.startTime(pid), yield* table.hasMember(pid)], [null, true])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("the probe", () => {
  it.live("knows this process", () =>
    Effect.gen(function* () {
      const probe = yield* ProcessProbe
      assert.strictEqual(probe.self.pid, process.pid)
      assert.strictEqual(yield* probe.startTime(process.pid), probe.self.startTime)
      assert.notStrictEqual(probe.self.startTime, "")
    }).pipe(Effect.provide(platform))
  )

  it.live("tells two processes apart that follow each other", () =>
    Effect.gen(function* () {
      const probe = yield* ProcessProbe
      const { pid } = yield* started("echo up; exec sleep 60")
      assert.notStrictEqual(yield* probe.startTime(pid), probe.self.startTime)
    }).pipe(Effect.provide(platform))
  )

  it.live("ends a group that heeds TERM before KILL is due", () =>
    Effect.gen(function* () {
      const probe = yield* ProcessProbe
      const { child, pid } = yield* started("echo up; exec sleep 60")
      const exited = once(child, "exit")
      assert.isTrue(yield* probe.endGroup(pid, { killAfterMs: 5_000, timeoutMs: 10_000 }))
      assert.deepStrictEqual(yield* Effect.promise(() => exited), [null, "SIGTERM"])
    }).pipe(Effect.provide(platform))
  )

  it.live("kills a group that ignores TERM", () =>
    Effect.gen(function* () {
      const probe = yield* ProcessProbe
      const { child, pid } = yield* started("trap '' TERM; echo up; while :; do sleep 0.01; done")
      const exited = once(child, "exit")
      assert.isTrue(yield* probe.endGroup(pid, { killAfterMs: 50, timeoutMs: 10_000 }))
      assert.deepStrictEqual(yield* Effect.promise(() => exited), [null, "SIGKILL"])
    }).pipe(Effect.provide(platform))
  )

  it.live.each([0, 1, -1, Number.NaN, 1.5, process.pid])("never signals group %d", (pgid) =>
    Effect.gen(function* () {
      const probe = yield* ProcessProbe
      // A signal that went out would end this test run.
      yield* probe.signalGroup(pgid, "SIGTERM")
      assert.isFalse(yield* probe.groupAlive(pgid))
    }).pipe(Effect.provide(platform))
  )
})

describe("a line of /proc/<pid>/stat", () => {
  const rest = "1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 0 0"

  it.each([
    ["4242 (sleep) S", "S"],
    ["4242 (a) b (c)) Z", "Z"],
    ["4242 (tmux: server) R", "R"],
    ["4242 ()) S 1 2 3) X", "X"],
    ["4242 (new\nline) S", "S"]
  ])("is read whatever the program is called: %j", (start, state) => {
    assert.deepStrictEqual(LinuxProcessTable.parseStat(`${start} ${rest}\n`), {
      state,
      processGroup: 4242,
      startTicks: "987654"
    })
  })

  it.each(["", "4242 (sleep", "4242 (sleep) S 1 2"])("that is no such line is nothing: %j", (text) => {
    assert.isNull(LinuxProcessTable.parseStat(text))
  })
})

describe("a line of ps", () => {
  it("is read with its date, which has spaces", () => {
    assert.deepStrictEqual(PsProcessTable.parseLine("Ss+   4242 Thu Jan  1 00:00:07 2026    "), {
      state: "Ss+",
      processGroup: 4242,
      startTime: "Thu Jan 1 00:00:07 2026"
    })
  })

  it.each(["", "   ", "STAT PGID STARTED", "S 12"])("that is no such line is nothing: %j", (text) => {
    assert.isNull(PsProcessTable.parseLine(text))
  })
})
