import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as AtomicFile from "../../src/AtomicFile.ts"
import { temporaryDirectory } from "./Fixture.ts"

describe("write", () => {
  it.effect("replaces the content and leaves nothing beside it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* AtomicFile.write(join(directory, "file"), "one")
      yield* AtomicFile.write(join(directory, "file"), "two")
      assert.strictEqual(readFileSync(join(directory, "file"), "utf8"), "two")
      assert.deepStrictEqual(readdirSync(directory), ["file"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("keeps the permissions of the file it replaces, unless told otherwise", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryDirectory, "file")
      writeFileSync(file, "one")
      chmodSync(file, 0o664)
      yield* AtomicFile.write(file, "two")
      assert.strictEqual(statSync(file).mode & 0o777, 0o664)
      yield* AtomicFile.write(file, "three", { mode: 0o600 })
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("does not write through a link", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      writeFileSync(join(directory, "target"), "untouched")
      symlinkSync("target", join(directory, "link"))
      yield* AtomicFile.write(join(directory, "link"), "new")
      assert.strictEqual(readFileSync(join(directory, "target"), "utf8"), "untouched")
      assert.isTrue(lstatSync(join(directory, "link")).isFile())
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("keeps the old content and no leftovers when it fails", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const fs = yield* FileSystem.FileSystem
      writeFileSync(join(directory, "file"), "old")
      const failing = { ...fs, rename: () => fs.readLink("/nonexistent").pipe(Effect.asVoid) }
      yield* AtomicFile.write(join(directory, "file"), "new").pipe(
        Effect.provideService(FileSystem.FileSystem, failing),
        Effect.flip
      )
      assert.strictEqual(readFileSync(join(directory, "file"), "utf8"), "old")
      assert.deepStrictEqual(readdirSync(directory), ["file"])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("create", () => {
  it.effect("succeeds for one of several callers at once, with the whole content", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const results = yield* Effect.all(
        Array.from({ length: 10 }, (_, index) => Effect.result(AtomicFile.create(join(directory, "file"), `${index}`))),
        { concurrency: "unbounded" }
      )
      const winner = results.findIndex(({ _tag }) => _tag === "Success")
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 1)
      assert.strictEqual(readFileSync(join(directory, "file"), "utf8"), `${winner}`)
      assert.deepStrictEqual(readdirSync(directory), ["file"])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
