import { assert, describe, it } from "@effect/vitest"
import type { Fault, FakeLinear } from "../../src/testing/index.ts"
import { failure, on, send } from "./Client.ts"

const some = `query Some($after: String) { issues(first: 2, after: $after) {
  nodes { id identifier title priority createdAt labels { nodes { name } } }
  pageInfo { hasNextPage endCursor }
} }`

interface Some {
  readonly issues: {
    readonly nodes: ReadonlyArray<{
      readonly identifier: string
      readonly title: string | null
      readonly priority: number
      readonly createdAt: string
      readonly labels: { readonly nodes: ReadonlyArray<unknown> }
    } | null>
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }
}

const withIssues = (play: (linear: FakeLinear.FakeLinear) => Promise<void>) =>
  on(async (linear) => {
    linear.createIssues([{ title: "One", labels: ["a"] }, { title: "Two" }, { title: "Three" }])
    await play(linear)
  })

describe("a fault of the fake Linear", () => {
  it.each<[string, Fault, Partial<Awaited<ReturnType<typeof failure>>>]>([
    ["rate limits, as Linear does", { kind: "rateLimited" }, { status: 400, code: "RATELIMITED", type: "Ratelimited" }],
    ["rate limits, as a proxy does", { kind: "rateLimited", status: 429 }, { status: 429, type: "Ratelimited" }],
    ["refuses the credential", { kind: "unauthorized" }, { status: 401, code: "AUTHENTICATION_ERROR" }],
    ["hints at Bearer", { kind: "bearerHint" }, { status: 400 }],
    ["forbids", { kind: "forbidden" }, { status: 403, type: "Forbidden" }],
    ["times out on a lock", { kind: "lockTimeout" }, { status: 500, type: "LockTimeout" }],
    ["fails inside", { kind: "internalError" }, { status: 500, type: "InternalError" }],
    ["answers as a broken gateway", { kind: "html" }, { status: 502, type: "NetworkError" }],
    ["answers as a broken server", { kind: "html", status: 500 }, { status: 500, type: "InternalError" }],
    ["has errors that are none", { kind: "emptyErrors" }, { status: 200, type: "Unknown" }],
    ["has the wrong content type", { kind: "wrongContentType" }, { status: 200, type: "Unknown" }],
    ["has partial data", { kind: "partialData" }, { status: 200, data: { issues: null } }]
  ])("%s", (_, fault, expected) =>
    withIssues(async (linear) => {
      linear.addFault({ fault })
      assert.deepInclude(await failure(linear, some), expected)
      assert.strictEqual(linear.requests()[0]?.fault, fault.kind)
    })
  )

  it.each<[string, Fault, RegExp]>([
    ["resets the connection", { kind: "resetBeforeHeaders" }, /TypeError: fetch failed/],
    ["resets the connection in the body", { kind: "resetInBody" }, /TypeError: terminated/],
    ["loses the answer", { kind: "lostAnswer" }, /TypeError: fetch failed/],
    ["redirects", { kind: "redirect", location: "http://127.0.0.1:1/" }, /TypeError: fetch failed/],
    ["breaks the JSON off", { kind: "malformedJson" }, /SyntaxError/],
    ["has an empty body", { kind: "emptyBody" }, /SyntaxError/]
  ])("%s", (_, fault, message) =>
    withIssues(async (linear) => {
      linear.addFault({ fault })
      assert.match((await failure(linear, some)).message, message)
    })
  )

  it.each<[Fault["kind"] & ("hangBeforeHeaders" | "hangInBody")]>([["hangBeforeHeaders"], ["hangInBody"]])(
    "hangs until the client gives up: %s",
    (kind) =>
      withIssues(async (linear) => {
        linear.addFault({ fault: { kind } })
        const waiting = failure(linear, some)
        const seen = async () => {
          while (linear.requests().length === 0) await new Promise((resolve) => setImmediate(resolve))
          linear.disconnect()
        }
        const [failed] = await Promise.all([waiting, seen()])
        assert.match(failed.message, /TypeError: (fetch failed|terminated)/)
      })
  )

  it.each([
    ["past", /^\d+$/],
    ["far", /^\d+$/],
    ["garbage", /^in a while$/]
  ] as const)("says of a limit that it ends in the %s", (reset, pattern) =>
    withIssues(async (linear) => {
      linear.addFault({ fault: { kind: "rateLimited", reset, retryAfter: "7" } })
      const { headers } = await failure(linear, some)
      assert.match(headers?.get("x-ratelimit-requests-reset") ?? "", pattern)
      assert.strictEqual(headers?.get("retry-after"), "7")
    })
  )

  it("says nothing of a limit when told", () =>
    withIssues(async (linear) => {
      linear.addFault({ fault: { kind: "rateLimited", reset: "missing" } })
      const { headers } = await failure(linear, some)
      assert.isNull(headers?.get("x-ratelimit-requests-reset"))
      assert.isNull(headers?.get("retry-after"))
    }))

  it("leaves a cursor out, repeats it, or never comes to an end", () =>
    withIssues(async (linear) => {
      const cursors = async (kind: "missingCursor" | "repeatedCursor" | "endlessPages") => {
        linear.clearFaults()
        linear.addFault({ fault: { kind } })
        const first = (await send<Some>(linear, some)).data.issues.pageInfo
        const second = (await send<Some>(linear, some, { after: first.endCursor })).data.issues.pageInfo
        assert.isTrue(first.hasNextPage && second.hasNextPage)
        return [first.endCursor, second.endCursor]
      }
      assert.deepStrictEqual(await cursors("missingCursor"), [null, null])
      const [once, again] = await cursors("repeatedCursor")
      assert.isString(once)
      assert.strictEqual(once, again)
      const [here, there] = await cursors("endlessPages")
      assert.notStrictEqual(here, there)
    }))

  it("lies about a nested connection when told", () =>
    withIssues(async (linear) => {
      linear.addFault({ fault: { kind: "missingCursor", connection: "labels" } })
      const query = `query Nested { issues(first: 3) {
        nodes { labels { pageInfo { hasNextPage endCursor } } } pageInfo { hasNextPage }
      } }`
      const { data } = await send<{ issues: { nodes: ReadonlyArray<unknown>; pageInfo: unknown } }>(linear, query)
      assert.deepStrictEqual(data.issues.nodes[0], { labels: { pageInfo: { hasNextPage: true, endCursor: null } } })
      assert.deepStrictEqual(data.issues.pageInfo, { hasNextPage: false })
    }))

  it("shows an issue on two pages", () =>
    withIssues(async (linear) => {
      linear.addFault({ fault: { kind: "duplicateAcrossPages" } })
      const first = (await send<Some>(linear, some)).data.issues
      const second = (await send<Some>(linear, some, { after: first.pageInfo.endCursor })).data.issues
      assert.strictEqual(first.nodes.at(-1)?.identifier, second.nodes[0]?.identifier)
    }))

  it("puts nulls among the nodes", () =>
    withIssues(async (linear) => {
      linear.addFault({ fault: { kind: "nullNodes", connection: "labels" } })
      const { data } = await send<Some>(linear, some)
      assert.isTrue(data.issues.nodes.every((issue) => issue?.labels.nodes.at(-1) === null))
      assert.isFalse(data.issues.nodes.includes(null))
    }))

  it("spoils one record until it is restored", () =>
    withIssues(async (linear) => {
      linear.corrupt("ENG-3", { priority: 2.5, createdAt: "yesterday", title: null, unasked: 1 })
      const [third, second] = (await send<Some>(linear, some)).data.issues.nodes
      assert.deepInclude(third, { priority: 2.5, createdAt: "yesterday", title: null })
      assert.notProperty(third, "unasked")
      assert.strictEqual(second?.title, "Two")
      linear.restore("ENG-3")
      const [restored] = (await send<Some>(linear, some)).data.issues.nodes
      assert.strictEqual(restored?.title, "Three")
    }))

  it("is for the nth request of an operation, so often and no more", () =>
    withIssues(async (linear) => {
      linear.addFault({ fault: { kind: "forbidden" }, operation: "So*", nth: [2, 4], times: 2 })
      const statuses: Array<number | undefined> = []
      for (let nth = 1; nth <= 5; nth++) {
        await send(linear, "query Other { viewer { id } }")
        statuses.push(
          await send(linear, some).then(
            ({ status }) => status,
            (error) => error.status
          )
        )
      }
      assert.deepStrictEqual(statuses, [200, 403, 403, 200, 200])
    }))

  it("comes by chance, by the same chance from the same seed", () =>
    withIssues(async (linear) => {
      const outcomes = async () => {
        linear.clearFaults()
        linear.addFault({ fault: { kind: "forbidden" }, probability: 0.5, seed: 7 })
        const results: Array<boolean> = []
        for (let nth = 1; nth <= 20; nth++)
          results.push(
            await send(linear, some).then(
              () => true,
              () => false
            )
          )
        return results
      }
      const once = await outcomes()
      assert.isTrue(once.includes(true) && once.includes(false))
      assert.deepStrictEqual(await outcomes(), once)
    }))

  it("can be taken back", () =>
    withIssues(async (linear) => {
      const id = linear.addFault({ fault: { kind: "forbidden" } })
      await failure(linear, some)
      linear.removeFault(id)
      await send(linear, some)
    }))
})

describe("a board of the fake Linear", () => {
  it("takes types of states and relations that nobody knows", () =>
    withIssues(async (linear) => {
      linear.createState("ENG", { name: "Limbo", type: "suspended" })
      linear.moveIssue("ENG-1", "Limbo")
      linear.relate("ENG-2", "haunts", "ENG-1")
      const { data } = await send<{ issue: unknown }>(
        linear,
        'query Odd { issue(id: "ENG-1") { state { type } inverseRelations { nodes { type } } } }'
      )
      assert.deepStrictEqual(data.issue, {
        state: { type: "suspended" },
        inverseRelations: { nodes: [{ type: "haunts" }] }
      })
    }))

  it("takes long descriptions and titles with control characters", () =>
    withIssues(async (linear) => {
      const title = "bell \u0007 and escape \u001b[31m"
      linear.createIssue({ title, description: "x".repeat(500_000) })
      const { data } = await send<{ issue: { title: string; description: string } }>(
        linear,
        'query Long { issue(id: "ENG-4") { title description } }'
      )
      assert.strictEqual(data.issue.title, title)
      assert.lengthOf(data.issue.description, 500_000)
    }))

  it("has more labels and blockers than fit a page", () =>
    withIssues(async (linear) => {
      const names = Array.from({ length: 25 }, (_, at) => `label ${at}`)
      const blockers = linear.createIssues(names.map((title) => ({ title }))).map(({ id }) => id)
      linear.createIssue({ title: "Full", labels: names, blockedBy: blockers })
      const query = `query Full { issue(id: "ENG-29") {
        labels(first: 20) { nodes { id } pageInfo { hasNextPage } }
        inverseRelations(first: 20) { nodes { id } pageInfo { hasNextPage } }
      } }`
      const { data } = await send<{
        issue: Record<string, { nodes: ReadonlyArray<unknown>; pageInfo: { hasNextPage: boolean } }>
      }>(linear, query)
      for (const connection of Object.values(data.issue)) {
        assert.lengthOf(connection.nodes, 20)
        assert.isTrue(connection.pageInfo.hasNextPage)
      }
    }))
})
