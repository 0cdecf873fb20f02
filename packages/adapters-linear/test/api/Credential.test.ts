import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as Credential from "../../src/api/Credential.ts"

const make = (endpoint: string, key: string) => Credential.make({ endpoint, apiKey: Redacted.make(key) })

const endpoint = "https://api.linear.app/graphql"

const refusal = Effect.fnUntraced(function* (address: string, key: string) {
  const { message } = yield* Effect.flip(make(address, key))
  return message
})

describe("Credential", () => {
  it.effect("takes blanks and line breaks around a key off", () =>
    Effect.gen(function* () {
      const { apiKey } = yield* make(endpoint, "  lin_api_1\n")
      assert.strictEqual(Redacted.value(apiKey), "lin_api_1")
    })
  )

  it.effect.each(["lin_api\nsecret", "lin api", "lin_api_ü", "lin\tapi"])(
    "refuses a key that no header can carry, and never repeats it: %j",
    (key) =>
      Effect.gen(function* () {
        const message = yield* refusal(endpoint, key)
        assert.include(message, "tracker.api_key contains a blank, a line break")
        assert.notInclude(message, key)
        assert.notInclude(message, "secret")
      })
  )

  it.effect("refuses an empty key", () =>
    Effect.gen(function* () {
      assert.include(yield* refusal(endpoint, " \n"), "tracker.api_key is empty")
    })
  )

  it.effect.each(["http://localhost:1/graphql", "http://127.0.0.1:1/graphql", "http://[::1]:1/graphql", endpoint])(
    "accepts %s",
    (address) => Effect.asVoid(make(address, "k"))
  )

  it.effect.each([
    "http://api.linear.app/graphql",
    "http://127.0.0.1.example.org/",
    "http://10.0.0.1/",
    "ftp://localhost/"
  ])("refuses %s, where others could read the key", (address) =>
    Effect.gen(function* () {
      assert.include(yield* refusal(address, "k"), "use https")
    })
  )

  it.effect("refuses what is no address, or carries a password of its own, without repeating it", () =>
    Effect.gen(function* () {
      assert.include(yield* refusal("linear", "k"), "tracker.endpoint is no web address")
      assert.notInclude(yield* refusal("https://user:hunter2@example.org/", "k"), "hunter2")
    })
  )

  it.effect("gives the same key at the same endpoint the same name, which does not contain it", () =>
    Effect.gen(function* () {
      const one = yield* make(endpoint, "lin_api_1")
      const same = yield* make(` ${endpoint}`, "lin_api_1 ")
      const other = yield* make(endpoint, "lin_api_2")
      const elsewhere = yield* make("http://localhost:1/graphql", "lin_api_1")
      assert.strictEqual(one.fingerprint, same.fingerprint)
      assert.lengthOf(new Set([one, other, elsewhere].map(({ fingerprint }) => fingerprint)), 3)
      assert.notInclude(JSON.stringify(one), "lin_api_1")
    })
  )
})
