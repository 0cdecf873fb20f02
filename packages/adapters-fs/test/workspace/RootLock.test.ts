import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, FileSystem, Scope } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { ProcessProbe } from "../../src/process/ProcessProbe.ts"
import * as RootLock from "../../src/RootLock.ts"
import * as Fixture from "./Fixture.ts"

const lockOf = (root: string) => join(root, ".opensymphony/lock")
const acquire = (root: string, workflowPath = "/a/WORKFLOW.md") => RootLock.acquire({ root, workflowPath })

const stale = {
  version: 1,
  pid: Fixture.deadOwner.pid,
  startTime: "long ago",
  workflow: "/old/WORKFLOW.md",
  since: "2020-01-01T00:00:00.000Z",
  nonce: "old"
}

describe("the lock of a root", () => {
  it.live("refuses a second orchestrator and names the first: process, workflow and since when", () =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      yield* acquire(root, "/first/WORKFLOW.md")
      const error = yield* Effect.flip(acquire(root))
      const { since } = Fixture.readJson(lockOf(root))
      assert.strictEqual(error._tag, "RootLocked")
      for (const part of [String(process.pid), "/first/WORKFLOW.md", String(since), root]) {
        assert.include(error.message, part)
      }
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is free again when its scope closed", () =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      yield* Effect.scoped(acquire(root))
      assert.isFalse(Fixture.existsSync(lockOf(root)))
      yield* acquire(root)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live.each([
    ["names a process that is gone", JSON.stringify(stale)],
    ["names a process with the same number but another start", JSON.stringify({ ...stale, pid: process.pid })],
    ["is half-written", '{"version": 1, "pi'],
    ["is empty", ""]
  ] as const)("stops nobody when it %s", ([, text]) =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      Fixture.write(lockOf(root), text)
      yield* acquire(root)
      assert.strictEqual(Fixture.readJson(lockOf(root))["pid"], process.pid)
      assert.deepStrictEqual(readdirSync(join(root, ".opensymphony")).sort(), ["creating", "lock", "removing"])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is taken over although a crash happened in the middle of another takeover", () =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      Fixture.write(lockOf(root), JSON.stringify(stale))
      Fixture.write(join(root, ".opensymphony", `lock-takeover-${stale.pid}-old`), JSON.stringify(stale))
      yield* acquire(root)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("goes to exactly one of many that find it stale at once", () =>
    Effect.gen(function* () {
      for (let round = 0; round < 10; round++) {
        const root = yield* Fixture.temporaryDirectory
        Fixture.write(lockOf(root), JSON.stringify(stale))
        const scope = yield* Scope.make()
        const exits = yield* Effect.all(
          Array.from({ length: 8 }, (_, index) =>
            Effect.exit(Scope.provide(acquire(root, `/${index}/WORKFLOW.md`), scope))
          ),
          { concurrency: "unbounded" }
        )
        const winner = exits.findIndex(Exit.isSuccess)
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        assert.strictEqual(Fixture.readJson(lockOf(root))["workflow"], `/${winner}/WORKFLOW.md`)
        yield* Scope.close(scope, Exit.void)
      }
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("goes to one alone when another is slow to replace a stale one", () =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      Fixture.write(lockOf(root), JSON.stringify(stale))
      const fs = yield* FileSystem.FileSystem
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const slow: FileSystem.FileSystem = {
        ...fs,
        remove: (path, options) =>
          path === lockOf(root)
            ? Deferred.succeed(reached, undefined).pipe(
                Effect.andThen(Deferred.await(goOn)),
                Effect.andThen(fs.remove(path, options))
              )
            : fs.remove(path, options)
      }
      const first = yield* Effect.forkScoped(
        Effect.exit(acquire(root).pipe(Effect.provideService(FileSystem.FileSystem, slow)))
      )
      yield* Deferred.await(reached)
      const second = yield* Effect.forkScoped(Effect.exit(acquire(root)))
      yield* Effect.sleep(200)
      yield* Deferred.succeed(goOn, undefined)
      const exits = [yield* Fiber.join(first), yield* Fiber.join(second)]
      assert.lengthOf(exits.filter(Exit.isSuccess), 1)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("stays when it belongs to somebody else by the time of its release", () =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      yield* Effect.scoped(
        Effect.andThen(
          acquire(root),
          Effect.sync(() => Fixture.write(lockOf(root), JSON.stringify(stale)))
        )
      )
      assert.strictEqual(readFileSync(lockOf(root), "utf8"), JSON.stringify(stale))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is held by a process of another number as long as that lives", () =>
    Effect.gen(function* () {
      const root = yield* Fixture.temporaryDirectory
      const pid = yield* Fixture.strayProcess(root)
      const startTime = yield* Effect.flatMap(ProcessProbe, (probe) => probe.startTime(pid))
      Fixture.write(lockOf(root), JSON.stringify({ ...stale, pid, startTime }))
      const error = yield* Effect.flip(acquire(root))
      assert.include(error.message, `process ${pid}`)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("cannot be taken where the root cannot be made", () =>
    Effect.gen(function* () {
      const directory = yield* Fixture.temporaryDirectory
      Fixture.write(join(directory, "file"), "")
      const error = yield* Effect.flip(acquire(join(directory, "file/root")))
      assert.strictEqual(error._tag, "WorkspaceIoError")
    }).pipe(Effect.provide(Fixture.platform))
  )
})
