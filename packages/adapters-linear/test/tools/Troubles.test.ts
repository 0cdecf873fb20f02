import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault } from "../../src/testing/Faults.ts"
import * as World from "./World.ts"

describe("what goes wrong with Linear", () => {
  const faults: ReadonlyArray<readonly [Fault, RegExp]> = [
    [{ kind: "unauthorized" }, /key/i],
    [{ kind: "bearerHint" }, /key/i],
    [{ kind: "forbidden" }, /may not/],
    [{ kind: "malformedJson" }, /JSON/],
    [{ kind: "wrongContentType" }, /./],
    [{ kind: "redirect", location: "http://127.0.0.1:9/" }, /redirect/]
  ]
  it.live.each(faults)("%j is told to the agent without the key", ([fault, reason]) =>
    Effect.gen(function* () {
      const world = yield* World.make({ rawQueries: true })
      const { client, token, tools } = yield* World.openRun(world)
      world.linear.addFault({ fault })
      const texts = [
        yield* World.refuses(client, "move_issue", { state: "Done" }),
        (yield* World.call(client, "linear_query", { query: "{ viewer { id } }" })).text
      ]
      const log = World.keptLog()
      yield* Effect.provide(tools.workpad, log.layer)
      assert.match(texts[0] ?? "", reason)
      for (const text of [...texts, log.text(), world.logged()]) {
        assert.notInclude(text, world.linear.apiKey)
        assert.notInclude(text, token)
      }
    })
  )

  it.live("is worked around when it passes by itself", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      world.linear.addFault({ fault: { kind: "html", status: 502 }, times: 1 })
      yield* World.does(client, "get_issue")
    })
  )

  it.live("is answered with the instant to try again when the budget is used up", () =>
    Effect.gen(function* () {
      const world = yield* World.make()
      const { client } = yield* World.openRun(world)
      world.linear.addFault({ fault: { kind: "rateLimited", reset: "far" } })
      const text = yield* World.refuses(client, "get_issue")
      assert.match(text, /nothing is sent before \d{4}-\d\d-\d\dT/)
      world.linear.clearRequests()
      assert.match(yield* World.refuses(client, "add_comment", { body: "x" }), /nothing is sent before/)
      assert.deepStrictEqual(world.linear.requests(), [])
    })
  )
})
