import { LinearDocument } from "@linear/sdk"
import { assert, describe, it } from "@effect/vitest"
import { getOperationAST, parse } from "graphql"
import { type Complexity, complexity } from "../../src/testing/Complexity.ts"
import { schema } from "../../src/testing/SchemaFromSdk.ts"
import { failure, on, send } from "./Client.ts"

const costOf = (query: string, variables: Record<string, unknown> = {}): Complexity => {
  const document = parse(query)
  const operation = getOperationAST(document)
  if (operation == null) throw new Error("the document has no operation")
  return complexity(schema(), document, operation, variables)
}

const lean = "issues(first: 250) { nodes { id identifier } pageInfo { hasNextPage endCursor } }"
const candidates = (nested: string) => `query ($n: Int) { issues(first: $n) {
  nodes { id identifier labels(first: 20) { nodes { id name } ${nested} } inverseRelations(first: 20) { nodes { type } ${nested} } }
  pageInfo { hasNextPage endCursor }
} }`

const cheap = "query Cheap { viewer { id } }"

describe("the cost of a query", () => {
  it.each([
    ["scalars and objects", "{ viewer { id name app } }", {}, { documented: 2, observed: 2 }],
    ["a page", `{ ${lean} }`, {}, { documented: 600, observed: 4 }],
    ["the usual 50 of a page without a size", "{ comments { nodes { id } } }", {}, { documented: 55, observed: 55 }],
    ["the size in a variable", candidates(""), { n: 50 }, { documented: 2420, observed: 28 }],
    ["what is nested, once more", candidates("pageInfo { endCursor }"), { n: 50 }, { documented: 4620, observed: 51 }],
    [
      "fragments",
      "{ viewer { ...A ... on User { name } } } fragment A on User { id }",
      {},
      { documented: 2, observed: 2 }
    ]
  ] as const)("counts %s", (_, query, variables, cost) => {
    assert.deepStrictEqual(costOf(query, variables), cost)
  })

  it("is what has been published about the SDK's own documents", () => {
    const { IssuesDocument, Issue_InverseRelationsDocument } = LinearDocument
    assert.strictEqual(costOf(String(IssuesDocument), { first: 250 }).observed, 46)
    assert.strictEqual(costOf(String(Issue_InverseRelationsDocument), { id: "" }).observed, 271)
    assert.approximately(costOf(String(IssuesDocument), { first: 250 }).documented, 11_226, 1)
  })
})

describe("the budgets of the fake Linear", () => {
  it("are in the headers of every answer, also of refusals", () =>
    on(async (linear) => {
      const { headers } = await send(linear, cheap)
      assert.deepInclude(Object.fromEntries(headers), {
        "x-ratelimit-requests-limit": "2500",
        "x-ratelimit-requests-remaining": "2499",
        "x-ratelimit-complexity-limit": "3000000",
        "x-complexity": "2"
      })
      assert.isAbove(Number(headers.get("x-ratelimit-requests-reset")), 1_500_000_000_000)
      const refused = await failure(linear, "query Wrong { nothing }")
      assert.strictEqual(refused.headers?.get("x-ratelimit-requests-remaining"), "2498")
    }))

  it("run out of requests, and refill as time passes", async () => {
    let now = 1_700_000_000_000
    await on(
      async (linear) => {
        await send(linear, cheap)
        await send(linear, cheap)
        const limited = await failure(linear, cheap)
        assert.deepInclude(limited, { status: 400, code: "RATELIMITED", type: "Ratelimited" })
        assert.strictEqual(limited.headers?.get("x-ratelimit-requests-remaining"), "0")
        assert.strictEqual(limited.headers?.get("x-ratelimit-requests-reset"), String(now + 3_600_000))
        now += 1_800_000
        const { headers } = await send(linear, cheap)
        assert.strictEqual(headers.get("x-ratelimit-requests-remaining"), "0")
        assert.deepStrictEqual(linear.counters().rateLimited, 1)
        now += 86_400_000
        assert.strictEqual(linear.remaining().requests, 2)
      },
      { now: () => now, budgets: { requests: { limit: 2, periodMs: 3_600_000 } } }
    )
  })

  it("run out of complexity", () =>
    on(
      async (linear) => {
        await send(linear, `query Lean { ${lean} }`)
        assert.strictEqual((await failure(linear, `query Lean { ${lean} }`)).code, "RATELIMITED")
        await send(linear, cheap)
      },
      { budgets: { complexity: { limit: 1_000, periodMs: 3_600_000 } } }
    ))

  it("can be set while it runs", () =>
    on(async (linear) => {
      linear.setRemaining("requests", 1)
      await send(linear, cheap)
      assert.strictEqual((await failure(linear, cheap)).code, "RATELIMITED")
      linear.setBudgets({ requests: { limit: 10, periodMs: 60_000 } })
      await send(linear, cheap)
      assert.strictEqual(linear.remaining().requests, 9)
    }))

  it("can be lower for one endpoint, which says so itself", () =>
    on(async (linear) => {
      linear.setEndpointLimit("viewer", { limit: 1, periodMs: 60_000 })
      const { headers } = await send(linear, cheap)
      assert.strictEqual(headers.get("x-ratelimit-endpoint-requests-remaining"), "0")
      const limited = await failure(linear, cheap)
      assert.strictEqual(limited.code, "RATELIMITED")
      assert.deepInclude(Object.fromEntries(limited.headers ?? []), {
        "x-ratelimit-endpoint-name": "viewer",
        "x-ratelimit-endpoint-requests-limit": "1",
        "x-ratelimit-requests-remaining": "2498"
      })
      await send(linear, `query Other { ${lean} }`)
      linear.setEndpointLimit("viewer", null)
      await send(linear, cheap)
    }))

  it("answer the query about them", () =>
    on(async (linear) => {
      const { data } = await send<{ rateLimitStatus: unknown }>(
        linear,
        "query Status { rateLimitStatus { kind limits { type allowedAmount remainingAmount } } }"
      )
      assert.deepStrictEqual(data.rateLimitStatus, {
        kind: "apiKey",
        limits: [
          { type: "requests", allowedAmount: 2500, remainingAmount: 2499 },
          { type: "complexity", allowedAmount: 3_000_000, remainingAmount: 2_999_997 }
        ]
      })
    }))

  it("refuse a query over 10,000 points by the model that is enforced", () =>
    on(async (linear) => {
      const fat = `query Fat { issues(first: 250) { nodes { id labels { nodes { id } } } } }`
      const failed = await failure(linear, fat)
      assert.deepInclude(failed, { status: 400, code: "INPUT_ERROR", type: "InvalidInput" })
      assert.match(failed.message, /Complexity: 14025\. Maximum allowed complexity: 10000\./)
      linear.setComplexityModel("observed")
      const { headers } = await send(linear, fat)
      assert.strictEqual(headers.get("x-complexity"), "5")
    }))
})

describe("credentials of the fake Linear", () => {
  it("are a bare key or a bearer token", () =>
    on(async (linear) => {
      await send(linear, cheap, {}, linear.apiKey)
      await send(linear, cheap, {}, `Bearer ${linear.accessToken}`)
    }))

  it("are refused with 401 when they are wrong", () =>
    on(async (linear) => {
      const failed = await failure(linear, cheap, {}, "lin_api_wrong")
      assert.deepInclude(failed, { status: 401, code: "AUTHENTICATION_ERROR", type: "AuthenticationError" })
    }))

  it("are refused with a hint when a key is sent as a bearer token", () =>
    on(async (linear) => {
      const failed = await failure(linear, cheap, {}, `Bearer ${linear.apiKey}`)
      assert.strictEqual(failed.status, 400)
      assert.include(failed.message, "Bearer")
    }))

  it("belong to users with budgets of their own, until they are revoked", () =>
    on(async (linear) => {
      linear.createUser({ name: "Grace Hopper" })
      const key = linear.createApiKey("grace-hopper")
      await send(linear, cheap)
      const { data, headers } = await send<{ viewer: { id: string } }>(linear, cheap, {}, key)
      assert.notStrictEqual(data.viewer.id, linear.viewer.id)
      assert.strictEqual(headers.get("x-ratelimit-requests-remaining"), "2499")
      linear.revokeApiKey(key)
      assert.strictEqual((await failure(linear, cheap, {}, key)).status, 401)
    }))

  it("are not kept in the log", () =>
    on(async (linear) => {
      await send(linear, cheap)
      assert.notInclude(JSON.stringify(linear.requests()), linear.apiKey)
    }))
})
