import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { maxUploadBytes } from "../../src/tools/catalog/UploadFile.ts"
import * as World from "./World.ts"

const { commentsOn, does, refuses } = World

const setUp = Effect.gen(function* () {
  const world = yield* World.make()
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { client } = yield* World.openRun(world)
  const inside = (name: string) => path.join(world.workspace, name)
  yield* fs.makeDirectory(inside("out"))
  yield* fs.writeFileString(inside("out/shot [1].png"), "not really a picture")
  return { world, client, fs, inside }
})

const test = (name: string, body: (scene: Effect.Success<typeof setUp>) => Effect.Effect<void, unknown>) =>
  it.live(name, () => Effect.flatMap(setUp, body).pipe(Effect.provide(NodeServices.layer)))

describe("upload_file", () => {
  test("puts the bytes where Linear says and returns how to show them", ({ client, world }) =>
    Effect.gen(function* () {
      const { data } = yield* does(client, "upload_file", { path: "out/shot [1].png" })
      const [upload] = world.linear.entities("Upload")
      assert.strictEqual(new TextDecoder().decode(upload?.body ?? new Uint8Array()), "not really a picture")
      assert.strictEqual(upload?.contentType, "image/png")
      assert.strictEqual(data["markdown"], `![shot \\[1\\].png](${String(data["asset_url"])})`)
      assert.deepStrictEqual(commentsOn(world, "ENG-1"), [])
    }))

  test("comments once, with the file below the words", ({ client, world }) =>
    Effect.gen(function* () {
      const input = { path: "out/shot [1].png", comment: "How it looks:" }
      yield* does(client, "upload_file", input)
      const again = yield* does(client, "upload_file", input)
      assert.strictEqual(again.data["created"], false)
      const [comment = "", ...others] = commentsOn(world, "ENG-1")
      assert.match(comment, /^How it looks:\n\n!\[shot/)
      assert.deepStrictEqual(others, [])
    }))

  test("refuses what is outside the workspace, however it is written", ({ client, fs, inside, world }) =>
    Effect.gen(function* () {
      const outside = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${outside}/secret.txt`, "secret")
      yield* fs.symlink(`${outside}/secret.txt`, inside("link.txt"))
      yield* fs.symlink(outside, inside("linked"))
      const sibling = `${world.workspace}-2`
      yield* fs.makeDirectory(sibling)
      yield* fs.writeFileString(`${sibling}/secret.txt`, "secret")
      for (const path of [
        "../../../../../../../../etc/hostname",
        "/etc/hostname",
        "link.txt",
        "linked/secret.txt",
        "out/../linked/secret.txt",
        `${sibling}/secret.txt`,
        `../${sibling.split("/").at(-1)}/secret.txt`
      ]) {
        assert.include(yield* refuses(client, "upload_file", { path }), "not inside the workspace")
      }
      yield* fs.remove(sibling, { recursive: true })
      assert.deepStrictEqual(world.linear.entities("Upload"), [])
    }).pipe(Effect.scoped))

  test("takes a link that stays inside", ({ client, fs, inside }) =>
    Effect.gen(function* () {
      yield* fs.symlink("out/shot [1].png", inside("latest.png"))
      const { data } = yield* does(client, "upload_file", { path: inside("latest.png") })
      assert.strictEqual(data["path"], "out/shot [1].png")
    }))

  test("refuses what is no file to show", ({ client, fs, inside, world }) =>
    Effect.gen(function* () {
      yield* fs.makeDirectory(inside(".git"))
      yield* fs.writeFileString(inside(".git/config"), "url = https://user:password@example.com")
      yield* fs.symlink(".git/config", inside("config"))
      yield* fs.writeFileString(inside("empty"), "")
      const reasons = yield* Effect.forEach(
        ["nothing.txt", "out", ".", ".git/config", "config", "empty", "a\0b"],
        (path) => refuses(client, "upload_file", { path })
      )
      const expected = [
        "there is no such file",
        "not a regular file",
        "not inside the workspace",
        ".git is not for uploading",
        ".git is not for uploading",
        "it is empty",
        "it is not a path"
      ]
      for (const [index, reason] of expected.entries()) assert.include(reasons[index], reason)
      assert.deepStrictEqual(world.linear.entities("Upload"), [])
    }))

  test("refuses its own token's file", ({ client }) =>
    Effect.gen(function* () {
      const path = ".opensymphony/tools.json"
      assert.match(yield* refuses(client, "upload_file", { path }), /no such file|not for uploading/)
    }))

  test("refuses a file that is too large before it reads it", ({ client, fs, inside }) =>
    Effect.gen(function* () {
      yield* fs.writeFileString(inside("huge"), "x")
      yield* fs.truncate(inside("huge"), maxUploadBytes + 1)
      assert.include(yield* refuses(client, "upload_file", { path: "huge" }), `longer than ${maxUploadBytes} bytes`)
    }))
})
