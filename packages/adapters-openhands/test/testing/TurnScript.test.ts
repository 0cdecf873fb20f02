import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Pace, TurnScript } from "../../src/testing/index.ts"
import { dig, shape } from "../contract/Client.ts"
import { withFake } from "./Fake.ts"

describe("scripts of turns", () => {
  it(
    "lets tools write files, run commands and call the test",
    withFake({}, async ({ client, fake }) => {
      const called: Array<string> = []
      fake.script({
        match: "work",
        steps: [
          TurnScript.write("notes/a.txt", "a"),
          TurnScript.shell("cat notes/a.txt > b.txt; echo printed"),
          TurnScript.tool("tracker_move", ({ workspace }) => {
            called.push(workspace)
            return "moved"
          }),
          TurnScript.finish("done")
        ]
      })
      const id = await client.create()
      await client.turn(id, "work")
      const workspace = String(fake.conversation(id)?.workspace)
      assert.strictEqual(readFileSync(join(workspace, "b.txt"), "utf8"), "a")
      assert.deepStrictEqual(called, [workspace])
      const observations = (await client.events(id)).filter(({ kind }) => kind === "ObservationEvent")
      assert.include(String(dig(observations[1], "observation.content.0.text")), "printed")
      assert.strictEqual(dig(observations[2], "observation.kind"), "MCPToolObservation")
      assert.strictEqual(dig(observations[2], "observation.content.1.text"), "moved")
    })
  )

  it(
    "prefers the rule that came last, and a rule that is used up gives way",
    withFake({ scripts: [{ steps: [TurnScript.say("any")] }] }, async ({ client, fake }) => {
      fake.script({ match: "hello", times: 1, steps: [TurnScript.say("first")] })
      const id = await client.create()
      const response = async () =>
        dig((await client.request("GET", client.at(id, "/agent_final_response"))).body, "response")
      await client.turn(id, "hello one")
      assert.strictEqual(await response(), "first")
      await client.turn(id, "hello two")
      assert.strictEqual(await response(), "any")
    })
  )

  it(
    "reads a message that has no rule of its own and goes on with its work",
    withFake(
      { scripts: [{ match: "work", steps: [TurnScript.longCommand(500), TurnScript.finish("worked")] }] },
      async ({ client }) => {
        const id = await client.create()
        await client.say(id, "work", true)
        await client.event(id, "the command", ({ kind }) => kind === "ActionEvent")
        await client.say(id, "an aside")
        await client.rests(id, "finished")
        const response = await client.request("GET", client.at(id, "/agent_final_response"))
        assert.strictEqual(dig(response.body, "response"), "worked")
      }
    )
  )

  it(
    "fails on an overflow of the context without a condenser, and goes on with one",
    withFake({ scripts: [{ steps: [{ type: "overflow" }, TurnScript.finish("made room")] }] }, async ({ client }) => {
      const without = await client.create()
      await client.turn(without, "hello", "error")
      const error = await client.event(without, "the error", ({ kind }) => kind === "ConversationErrorEvent")
      assert.strictEqual(error.code, "LLMContextWindowExceedError")
      const condenser = { kind: "LLMSummarizingCondenser", llm: { model: "m", usage_id: "condenser" } }
      const having = await client.create({ agent: { condenser } })
      await client.turn(having, "hello")
      assert.include((await client.events(having)).map(shape), "Condensation")
      assert.isDefined(dig(await client.info(having), "stats.usage_to_metrics.condenser"))
    })
  )

  it(
    "dies in the middle of a turn and goes on from there after a restart",
    withFake(
      { scripts: [{ steps: [TurnScript.shell("true"), { type: "crash" }, TurnScript.finish("survived")] }] },
      async ({ client, fake }) => {
        const id = await client.create()
        await client.say(id, "hello", true)
        await client.until("the crash", async () =>
          (await client.request("GET", "/ready").catch(() => undefined)) === undefined ? true : undefined
        )
        await fake.restart()
        assert.strictEqual(await client.status(id), "error")
        await client.run(id)
        await client.rests(id, "finished")
        const observed = (await client.events(id)).filter((event) => shape(event) === "ObservationEvent:terminal")
        assert.strictEqual(observed.length, 1)
      }
    )
  )

  it("takes a day of virtual time in no real time", async () => {
    const pace = Pace.manual()
    const scripts = [{ steps: [TurnScript.longCommand(86_400_000), TurnScript.finish("slept well")] }]
    await withFake({ pace, scripts }, async ({ client }) => {
      const id = await client.create()
      await client.say(id, "hello", true)
      await client.until("the command", () => (pace.waiting() > 0 ? true : undefined))
      await pace.advance(86_400_000)
      await client.rests(id, "finished")
    })()
  })

  it("chatters at the rate it is told", async () => {
    const pace = Pace.manual()
    const scripts = [{ steps: [{ type: "chatter" as const, count: 10, everyMs: 100 }, TurnScript.finish("quiet")] }]
    await withFake({ pace, scripts }, async ({ client, fake }) => {
      const id = await client.create()
      await client.say(id, "hello", true)
      const thoughts = () => fake.conversation(id)?.events.filter((event) => event["tool_name"] === "think").length
      await client.until("the first wait", () => (pace.waiting() > 0 ? true : undefined))
      await pace.advance(500)
      await client.until("half of them", () => (thoughts() === 5 ? true : undefined))
      await pace.advance(500)
      await client.rests(id, "finished")
      assert.strictEqual(thoughts(), 10)
    })()
  })

  it(
    "counts usage under the ids and at the costs that steps name",
    withFake(
      {
        scripts: [
          { steps: [{ type: "say", text: "x", usage: { prompt: 7, completion: 3, usageId: "helper", cost: 0.5 } }] }
        ]
      },
      async ({ client }) => {
        const id = await client.create()
        await client.turn(id, "hello")
        const info = await client.info(id)
        assert.strictEqual(dig(info, "stats.usage_to_metrics.helper.accumulated_cost"), 0.5)
        assert.strictEqual(dig(info, "stats.usage_to_metrics.agent.accumulated_token_usage.prompt_tokens"), 0)
      }
    )
  )
})
