import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Answer from "../../src/api/Answer.ts"

const question: Answer.Question = { name: "Issues", hidden: ["k3y-secret", "A title\nof somebody"], nowMs: 1_000_000 }

const judge = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  Answer.judge({ status, header: (name) => headers[name] ?? null, body }, question)

const errorOf = (status: number, body: unknown, headers: Record<string, string> = {}) => {
  const verdict = judge(status, body, headers)
  if (Result.isSuccess(verdict)) throw new Error("no error")
  return verdict.failure
}

const error = (message: string, extensions: Record<string, unknown> = {}) => ({
  data: null,
  errors: [{ message, extensions }]
})

describe("what an answer of Linear means", () => {
  it.each<[what: string, tag: string, status: number, body: unknown]>([
    ["a rate limit in Linear's way", "LinearRateLimited", 400, error("Rate limit", { code: "RATELIMITED" })],
    ["a rate limit by type alone", "LinearRateLimited", 400, error("Rate limit", { type: "ratelimited" })],
    ["a rate limit of a proxy", "LinearRateLimited", 429, "<html>slow down</html>"],
    [
      "a query too complex",
      "LinearTooComplex",
      400,
      error("Query too complex", { code: "INPUT_ERROR", type: "invalid input" })
    ],
    ["a bad key", "LinearAuthError", 401, error("Authentication required", { code: "AUTHENTICATION_ERROR" })],
    ["a bad key by code alone", "LinearAuthError", 200, error("no", { type: "authentication error" })],
    ["a bad key by status alone", "LinearAuthError", 401, "nope"],
    ["the hint about Bearer", "LinearAuthError", 400, error("It looks like you use an API key as a Bearer token")],
    ["a forbidden thing", "LinearForbidden", 403, error("Forbidden", { type: "forbidden" })],
    ["a feature of another plan", "LinearForbidden", 200, error("Upgrade", { type: "feature not accessible" })],
    ["an unknown field", "LinearSchemaDrift", 400, error("Cannot query", { code: "GRAPHQL_VALIDATION_FAILED" })],
    [
      "something that is not there",
      "LinearNotFound",
      200,
      error("Entity not found: Issue", { code: "INPUT_ERROR", userError: true })
    ],
    ["a bad argument", "LinearInvalidArgument", 200, error("Argument Validation Error", { code: "INVALID_INPUT" })],
    [
      "a refusal in words for people",
      "LinearRefused",
      200,
      error("bad", { userError: true, userPresentableMessage: "No" })
    ],
    ["Linear's own failure", "LinearTransportError", 500, error("Oops", { type: "internal error" })],
    ["a lock that was not had", "LinearTransportError", 200, error("Oops", { type: "lock timeout" })],
    ["a proxy's failure", "LinearTransportError", 502, "<html>Bad Gateway</html>"],
    ["HTML instead of JSON", "LinearBadResponse", 200, "<html>Sign in</html>"],
    ["another server", "LinearBadResponse", 404, "<html>Not found</html>"],
    ["a proxy's refusal", "LinearBadResponse", 403, "<html>Blocked</html>"],
    ["no data", "LinearBadResponse", 200, { data: null }],
    ["a list", "LinearBadResponse", 200, [1]],
    ["nothing", "LinearBadResponse", 200, ""],
    ["an error that nobody knows", "LinearBadResponse", 200, error("Hm", { type: "something new" })],
    ["a part of the data", "LinearPartialData", 200, { data: { a: 1, b: null }, errors: [{ message: "b failed" }] }]
  ])("%s: %s", (_what, tag, status, body) => {
    assert.strictEqual(errorOf(status, body)._tag, tag)
  })

  it("is its data when the list of errors is empty", () => {
    assert.deepStrictEqual(judge(200, { data: { a: 1 }, errors: [] }), Result.succeed({ a: 1 }))
  })

  it("is a rate limit also where another error comes first", () => {
    const body = {
      errors: [{ message: "x", extensions: { code: "INPUT_ERROR" } }, { extensions: { code: "RATELIMITED" } }]
    }
    assert.strictEqual(errorOf(400, body)._tag, "LinearRateLimited")
  })

  it("says how complex a query was", () => {
    const extensions = {
      code: "INPUT_ERROR",
      userPresentableMessage: "Complexity: 11515. Maximum allowed complexity: 10000."
    }
    const failure = errorOf(400, error("Query too complex", extensions))
    assert.deepInclude(failure, { _tag: "LinearTooComplex", points: 11_515 })
  })

  it("says where data is missing", () => {
    const body = { data: { a: 1 }, errors: [{ message: "x", path: ["issues", "nodes", 3, "state"] }] }
    assert.deepInclude(errorOf(200, body), { paths: [["issues", "nodes", 3, "state"]] })
  })

  it("repeats neither the key nor what people wrote", () => {
    const said = 'Variable "$input" got invalid value "A title\\nof somebody" at "input.body"; key k3y-secret is bad'
    const { message } = errorOf(200, error(said, { code: "BAD_USER_INPUT" }))
    assert.notInclude(message, "k3y-secret")
    assert.notInclude(message, "somebody")
    assert.include(message, "got an invalid value")
  })

  it("keeps messages to one short line", () => {
    const { message } = errorOf(200, error(`a\n\u0000b ${"x".repeat(100_000)}`, { userError: true }))
    assert.match(message, /^a b x+\.\.\.$/)
    assert.isBelow(message.length, 400)
  })

  it("survives errors of any shape", () => {
    for (const odd of [
      null,
      3,
      "x",
      [],
      { extensions: 3 },
      { message: {}, path: 7, extensions: { code: 1, type: [] } }
    ]) {
      assert.strictEqual(errorOf(200, { errors: [odd] })._tag, "LinearBadResponse")
    }
  })
})
