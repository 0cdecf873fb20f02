import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import * as WorkspaceKey from "../../src/workspace/WorkspaceKey.ts"

const hash = (text: string) => createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16)

describe("the key of an identifier", () => {
  it.effect.each([
    ["ABC-12", "ABC-12"],
    ["a_b", "a_b"],
    ["v1.2", "v1.2"],
    ["x".repeat(100), "x".repeat(100)]
  ] as const)("is the identifier where that is safe: %s", ([identifier, key]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* WorkspaceKey.make(identifier)).preferred, key)
    })
  )

  it.effect.each([
    ["a/b", "a_b"],
    ["../../x", ".._.._x"],
    [".", "."],
    ["..", ".."],
    [".opensymphony", ".opensymphony"],
    ["", ""],
    ["Füße", "F__e"],
    ["🎉", "_"],
    ["x".repeat(300), "x".repeat(100)],
    ["x".repeat(101), "x".repeat(100)],
    ["a\nb", "a_b"]
  ] as const)("ends with a digest where it had to change: %j", ([identifier, stem]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* WorkspaceKey.make(identifier)).preferred, `${stem}-${hash(identifier)}`)
    })
  )

  it.effect("has a distinct form for when another issue has the directory", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* WorkspaceKey.make("abc")).distinct, `abc-${hash("abc")}`)
    })
  )

  it.effect.prop(
    "is always a single path segment, whatever the identifier",
    { identifier: Schema.String },
    ({ identifier }) =>
      Effect.gen(function* () {
        const { distinct, preferred } = yield* WorkspaceKey.make(identifier)
        assert.isTrue(WorkspaceKey.isKey(preferred) && WorkspaceKey.isKey(distinct))
      })
  )

  const identifiers = Arbitrary.schema(
    Schema.Array(Schema.Literals(["a", "A", "b", "/", ".", "_", "-", "é", "💥"]))
  ).pipe(Arbitrary.map((parts) => parts.join("")))
  it.effect.prop(
    "is shared by two identifiers only where one of them is told to take its distinct form",
    { one: identifiers, other: identifiers },
    ({ one, other }) =>
      Effect.gen(function* () {
        if (one === other) return
        const [self, that] = [yield* WorkspaceKey.make(one), yield* WorkspaceKey.make(other)]
        const names = [self.preferred, that.preferred, self.distinct, that.distinct]
        const [mine, theirs, ...distinct] = names.map((name) => name.toLowerCase())
        assert.strictEqual(new Set(distinct).size, 2)
        if (mine === theirs) assert.notInclude(distinct, mine)
        if (self.preferred === self.distinct) assert.notStrictEqual(mine, theirs)
      })
  )
})
