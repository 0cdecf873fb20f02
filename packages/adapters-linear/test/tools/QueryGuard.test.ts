import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as QueryGuard from "../../src/tools/QueryGuard.ts"
import * as World from "./World.ts"

const problem = (document: string, variables: Record<string, unknown> = {}): string =>
  Result.match(QueryGuard.check(document, variables), { onSuccess: (points) => `${points} points`, onFailure: String })

describe("a query of an agent", () => {
  const passed: ReadonlyArray<readonly [string, string, Record<string, unknown>]> = [
    ["{ viewer { id name } }", "2 points", {}],
    ["query Q { issues(first: 10) { nodes { id } } }", "12 points", {}],
    ["query Q($n: Int) { issues(first: $n) { nodes { id } } }", "5 points", { n: 3 }],
    ["{ issues { nodes { id } } }", "57 points", {}],
    ["query Q { ...F } fragment F on Query { viewer { id } }", "2 points", {}]
  ]
  it.each(passed)("%s costs %s by Linear's rule", (document, expected, variables) => {
    assert.strictEqual(problem(document, variables), expected)
  })

  const nested = (depth: number) => `${"{ a ".repeat(depth)}${"}".repeat(depth)}`
  const doubling = Array.from({ length: 40 }, (_, n) => `fragment F${n} on Q { a { ...F${n + 1} } b { ...F${n + 1} } }`)
  const refused: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["a mutation", 'mutation { issueDelete(id: "x") { success } }', /mutation; only queries/],
    ["a subscription", "subscription { x }", /subscription; only queries/],
    ["two operations", "query A { a } query B { b }", /exactly one operation/],
    ["a query beside a mutation", "query A { a } mutation B { b }", /exactly one operation/],
    ["only fragments", "fragment F on Q { a }", /exactly one operation/],
    ["a type definition", "query A { a } type T { a: Int }", /exactly one operation/],
    ["what is no GraphQL", "select * from issues", /Syntax Error/],
    ["nothing", "", /Syntax Error/],
    ["deep nesting", nested(14), /deeper than 12/],
    ["absurdly deep nesting", nested(490), /deeper than 12/],
    ["nesting without end", nested(2500), /token/i],
    ["a fragment that contains itself", "{ ...F } fragment F on Q { a { ...F } }", /contains itself/],
    ["a fragment that nobody defined", "{ ...F }", /does not define/],
    ["fragments that double", `{ ...F0 } ${doubling.join(" ")} fragment F40 on Q { a }`, /deeper|costs more/],
    ["large pages in large pages", "{ issues(first: 250) { nodes { comments { nodes { id } } } } }", /costs more/],
    ["more than can be looked at", `{ ${"a ".repeat(5000)} }`, /token/i],
    ["a long document", `{ a } #${"x".repeat(20_000)}`, /longer than 20000/]
  ]
  it.each(refused)("%s is refused", (_name, document, reason) => {
    assert.match(problem(document), reason)
  })
})

describe("linear_query", () => {
  const setUp = Effect.gen(function* () {
    const world = yield* World.make({ rawQueries: true })
    return { world, ...(yield* World.openRun(world)) }
  })

  it.live("returns Linear's answer as it is", () =>
    Effect.gen(function* () {
      const { client } = yield* setUp
      const query = "query Q($id: String!) { issue(id: $id) { identifier title } }"
      const { text } = yield* World.does(client, "linear_query", { query, variables: { id: "ENG-1" } })
      assert.deepStrictEqual(JSON.parse(text), { data: { issue: { identifier: "ENG-1", title: "Sort the shelves" } } })
    })
  )

  it.live("returns Linear's own errors when it refuses", () =>
    Effect.gen(function* () {
      const { client } = yield* setUp
      const text = yield* World.refuses(client, "linear_query", { query: '{ issue(id: "ENG-1") { links } }' })
      assert.include(text, 'Cannot query field \\"links\\" on type \\"Issue\\"')
    })
  )

  it.live("sends no mutation", () =>
    Effect.gen(function* () {
      const { client, world } = yield* setUp
      world.linear.clearRequests()
      const query = 'mutation { issueDelete(id: "ENG-1") { success } }'
      assert.include(yield* World.refuses(client, "linear_query", { query }), "only queries are allowed")
      assert.deepStrictEqual(world.linear.requests(), [])
    })
  )
})
