import { assert, describe, it } from "@effect/vitest"
import { FakeAgentServer, Pace, TurnScript } from "../../src/testing/index.ts"
import { dig } from "../contract/Client.ts"
import { withFake } from "./Fake.ts"

const COUNT = "/api/conversations/count"

describe("faults of requests", () => {
  it(
    "fails only the nth request that fits",
    withFake(
      { faults: [{ on: "request", path: "/count$", nth: 2, effect: { type: "status", status: 500 } }] },
      async (scene) => {
        const statuses: Array<number> = []
        for (let index = 0; index < 3; index++) statuses.push((await scene.client.request("GET", COUNT)).status)
        assert.deepStrictEqual(statuses, [200, 500, 200])
        assert.strictEqual((await scene.client.request("GET", "/ready")).status, 200)
      }
    )
  )

  it(
    "creates a conversation and answers with an error all the same",
    withFake(
      {
        faults: [
          {
            on: "request",
            method: "POST",
            path: "/conversations$",
            times: 1,
            effect: { type: "failAfter", status: 500 }
          }
        ]
      },
      async ({ client, fake }) => {
        const body = client.createBody()
        assert.strictEqual((await client.request("POST", "/api/conversations", body)).status, 500)
        assert.strictEqual(fake.conversations().length, 1)
        assert.strictEqual((await client.request("POST", "/api/conversations", body)).status, 200)
      }
    )
  )

  it(
    "resets a connection",
    withFake({ faults: [{ on: "request", times: 1, effect: { type: "reset" } }] }, async ({ client }) => {
      const error = await client.request("GET", COUNT).then(
        () => undefined,
        (error: unknown) => error
      )
      assert.instanceOf(error, Error)
      assert.strictEqual((await client.request("GET", COUNT)).status, 200)
    })
  )

  it(
    "carries a message out and never answers",
    withFake(
      { faults: [{ on: "request", path: "/events$", effect: { type: "hangAfter" } }] },
      async ({ client, fake }) => {
        const id = await client.create()
        const answered = client.say(id, "hello").then(
          () => true,
          () => false
        )
        await client.until("the message", () => (fake.conversation(id)?.messages.length === 1 ? true : undefined))
        await fake.close()
        assert.isFalse(await answered)
      }
    )
  )

  it(
    "answers with a page that is no JSON",
    withFake({ faults: [{ on: "request", times: 1, effect: { type: "garbage" } }] }, async ({ fake }) => {
      const response = await fetch(`${fake.url}${COUNT}`)
      assert.strictEqual(response.headers.get("content-type"), "text/html")
    })
  )

  it("draws the same lots from the same seed", async () => {
    const draw = async (seed: number) => {
      const seen: Array<number> = []
      await withFake(
        { seed, faults: [{ on: "request", probability: 0.5, effect: { type: "status", status: 503 } }] },
        async ({ client }) => {
          for (let index = 0; index < 20; index++) seen.push((await client.request("GET", COUNT)).status)
        }
      )()
      return seen
    }
    const first = await draw(7)
    assert.deepStrictEqual(await draw(7), first)
    assert.sameMembers([...new Set(first)], [200, 503])
    assert.notDeepEqual(await draw(8), first)
  })

  it("is ready late", async () => {
    const pace = Pace.manual()
    await withFake({ pace, readyAfterMs: 5000 }, async ({ client }) => {
      assert.strictEqual((await client.request("GET", "/ready")).status, 503)
      assert.strictEqual((await client.request("GET", "/health")).status, 200)
      await pace.advance(5000)
      assert.strictEqual((await client.request("GET", "/ready")).status, 200)
    })()
  })

  it(
    "refuses one run more than it has slots, and keeps the message that came with it",
    withFake(
      { maxConcurrentRuns: 1, scripts: [{ match: "busy", steps: [{ type: "hang" }] }] },
      async ({ client, fake }) => {
        const [first, second] = [await client.create(), await client.create()]
        await client.say(first, "busy", true)
        assert.strictEqual((await client.run(second)).status, 429)
        const answer = await client.say(second, "kept", true)
        assert.strictEqual(answer.status, 429)
        assert.include(String(dig(answer.body, "detail")), "Message saved")
        assert.deepStrictEqual(fake.conversation(second)?.messages, ["kept"])
      }
    )
  )

  it(
    "remembers what it was asked",
    withFake({}, async ({ client, fake }) => {
      await client.request("GET", `${COUNT}?status=idle`)
      const [request] = fake.requests()
      assert.strictEqual(request?.path, COUNT)
      assert.strictEqual(request?.query, "status=idle")
      assert.strictEqual(request?.status, 200)
    })
  )

  it(
    "is controlled from another process, also while it is down",
    withFake({}, async ({ client, fake }) => {
      const control = (method: string, path: string, body?: unknown) =>
        fetch(`${fake.controlUrl}/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      await control("POST", "scripts", { match: "from outside", steps: [TurnScript.say("controlled")] })
      const id = await client.create()
      await client.turn(id, "from outside")
      await control("POST", "crash")
      assert.isUndefined(await client.request("GET", "/ready").catch(() => undefined))
      await control("POST", "restart")
      assert.strictEqual(await client.status(id), "finished")
      await control("POST", "faults", { on: "request", path: "/count", effect: { type: "status", status: 502 } })
      assert.strictEqual((await client.request("GET", COUNT)).status, 502)
      await control("DELETE", "faults")
      assert.strictEqual((await client.request("GET", COUNT)).status, 200)
    })
  )

  it("finds its conversations on disk in another life", async () => {
    await withFake({}, async ({ root }) => {
      const directory = `${root}/conversations`
      let id = ""
      await withFake({ directory, scripts: [{ steps: [TurnScript.say("kept on disk")] }] }, async ({ client }) => {
        id = await client.create()
        await client.turn(id, "hello")
      })()
      await withFake({ directory }, async ({ client, fake }) => {
        assert.strictEqual(await client.status(id), "finished")
        assert.deepStrictEqual(fake.conversation(id)?.messages, ["hello"])
      })()
    })()
  })

  it("keeps no key on disk", async () => {
    await withFake({}, async ({ root }) => {
      const directory = `${root}/conversations`
      await withFake({ directory }, async ({ client }) => {
        const id = await client.create()
        const { readFileSync } = await import("node:fs")
        const stored = readFileSync(`${directory}/${id.replaceAll("-", "")}/base_state.json`, "utf8")
        assert.notInclude(stored, "llm-key")
      })()
    })()
  })
})

describe("keys of the LLM", () => {
  const scripts = [{ steps: [TurnScript.say("hello")] }]

  it(
    "ends a run with an authentication error until the LLM is switched to one that works",
    withFake({ llmKeys: ["new-key"], scripts }, async ({ client }) => {
      const id = await client.create()
      await client.turn(id, "hello", "error")
      const llm = { model: "openai/scripted", api_key: "new-key", usage_id: "agent" }
      await client.request("POST", client.at(id, "/switch_llm"), { llm })
      await client.turn(id, "again")
    })
  )

  it(
    "loses keys in a restart when it is told to",
    withFake({ llmKeys: ["llm-key"], keepsKeys: false, scripts }, async ({ client, fake }) => {
      const id = await client.create()
      await client.turn(id, "hello")
      await fake.restart()
      await client.turn(id, "again", "error")
    })
  )
})

describe("versions", () => {
  it(
    "keeps the LLM of a known usage id on 1.40, and says that all is well",
    withFake({ version: "1.40.0", scripts: [{ steps: [TurnScript.say("hello")] }] }, async ({ client }) => {
      const id = await client.create()
      await client.turn(id, "hello")
      for (const [usageId, model] of [
        ["agent", "openai/scripted"],
        ["fresh", "openai/another"]
      ]) {
        const llm = { model: "openai/another", api_key: "another-key", usage_id: usageId }
        assert.strictEqual((await client.request("POST", client.at(id, "/switch_llm"), { llm })).status, 200)
        assert.strictEqual(dig(await client.info(id), "agent.llm.model"), model)
      }
    })
  )

  it(
    "behaves like 1.14 where a client notices",
    withFake({ version: "1.14.0" }, async ({ client }) => {
      const wrapped = { mcp_config: { mcpServers: { tracker: { command: "node" } } } }
      const id = await client.create({ agent: wrapped, tags: { "not-checked": "then" } })
      assert.strictEqual((await client.request("GET", "/health")).body, "OK")
      assert.strictEqual((await client.request("POST", client.at(id, "/interrupt"))).status, 404)
      assert.strictEqual((await client.request("POST", client.at(id, "/switch_llm"), { llm: {} })).status, 404)
      assert.strictEqual((await client.request("GET", client.at(id, "/agent_final_response"))).status, 404)
      assert.strictEqual((await client.request("GET", client.at(id, "/events/search?limit=101"))).status, 500)
      assert.deepStrictEqual(await client.socket(id, "", {}).ended, { http: 403 })
      assert.strictEqual(dig((await client.request("GET", "/server_info")).body, "version"), "1.14.0")
      const flat = client.createBody({ agent: { mcp_config: { tracker: { command: "node" } } } })
      assert.strictEqual((await client.request("POST", "/api/conversations", flat)).status, 422)
    })
  )

  it(
    "gives errors no classification before 1.40",
    withFake(
      {
        version: "1.39.0",
        scripts: [
          { steps: [TurnScript.fail("Oops", "bad", { kind: "unknown", retryable: false, user_action: "none" })] }
        ]
      },
      async ({ client }) => {
        const id = await client.create()
        await client.turn(id, "hello", "error")
        const error = await client.event(id, "the error", ({ kind }) => kind === "ConversationErrorEvent")
        assert.notProperty(error, "classification")
      }
    )
  )
})

describe("the scoped fake", () => {
  it("ends with its scope", async () => {
    const { Effect } = await import("effect")
    const url = await Effect.runPromise(Effect.scoped(Effect.map(FakeAgentServer.make(), ({ url }) => url)))
    assert.isUndefined(await fetch(`${url}/ready`).catch(() => undefined))
  })
})
