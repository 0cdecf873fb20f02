/** What a switch of the LLM does to the conversation and to the figures of its usage. */
import { assert } from "@effect/vitest"
import { say } from "../../src/testing/model/ModelScript.ts"
import { type Client, dig, make, shape } from "./Client.ts"
import type { ContractCase, Subject } from "./Subject.ts"

const another = (subject: Subject, usageId: string) => ({
  ...subject.llm(),
  model: "openai/another",
  usage_id: usageId
})

const switchTo = async (client: Client, id: string, llm: unknown): Promise<void> => {
  const answer = await client.request("POST", client.at(id, "/switch_llm"), { llm })
  assert.deepStrictEqual(answer, { status: 200, body: { success: true } })
}

/** Prompt tokens by usage id. */
const figures = async (client: Client, id: string): Promise<Readonly<Record<string, unknown>>> => {
  const metrics = dig(await client.info(id), "stats.usage_to_metrics") as object
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, dig(value, "accumulated_token_usage.prompt_tokens")])
  )
}

const condense = async (client: Client, id: string): Promise<void> => {
  const before = (await client.events(id, "&sort_order=TIMESTAMP_DESC")).filter(isCondensation).length
  assert.strictEqual((await client.request("POST", client.at(id, "/condense"))).status, 200)
  await client.run(id)
  await client.until("the condensation", async () =>
    (await client.events(id, "&sort_order=TIMESTAMP_DESC")).filter(isCondensation).length > before ? true : undefined
  )
}

const isCondensation = ({ kind }: { readonly [field: string]: unknown }) => kind === "Condensation"

export const switchCases: ReadonlyArray<ContractCase> = [
  {
    name: "logs the new agent, its key masked",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      await switchTo(client, id, { ...another(subject, "agent"), api_key: "another-key" })
      const [event] = await client.events(id)
      assert.strictEqual(event?.key, "agent")
      assert.strictEqual(dig(event, "value.llm.model"), "openai/another")
      assert.notInclude(JSON.stringify(event), "another-key")
    }
  },
  {
    name: "never counts a model that came before the agent was built, under whatever usage id",
    run: async (subject) => {
      subject.script({ marker: "early-switch", steps: [say("done")] })
      const client = make(subject)
      for (const usageId of ["agent", "early"]) {
        const id = await client.create()
        await switchTo(client, id, another(subject, usageId))
        await client.turn(id, "early-switch")
        assert.deepStrictEqual(await figures(client, id), {})
        assert.notInclude((await client.events(id)).map(shape), "stats")
      }
    }
  },
  {
    name: "never counts a model that came between a restart and the next message",
    run: async (subject) => {
      subject.script({ marker: "loaded-switch", steps: [say("done")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "loaded-switch")
      await subject.restart("SIGKILL")
      await switchTo(client, id, another(subject, "late"))
      await client.turn(id, "loaded-switch again")
      assert.deepStrictEqual(await figures(client, id), { agent: 100 })
    }
  },
  {
    name: "counts such a model from the next loading on",
    run: async (subject) => {
      subject.script({ marker: "mended-switch", steps: [say("done")] })
      const client = make(subject)
      const id = await client.create()
      await switchTo(client, id, another(subject, "mended"))
      await client.turn(id, "mended-switch")
      await subject.restart("SIGKILL")
      await client.turn(id, "mended-switch again")
      assert.deepStrictEqual(await figures(client, id), { mended: 100 })
    }
  },
  {
    name: "replaces the model of a known usage id, which counts on, and counts a fresh one apart, without stats events",
    run: async (subject) => {
      subject.script({ marker: "live-switch", steps: [say("done")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "live-switch")
      await switchTo(client, id, another(subject, "agent"))
      assert.strictEqual(dig(await client.info(id), "agent.llm.model"), "openai/another")
      await client.turn(id, "live-switch again")
      assert.deepStrictEqual(await figures(client, id), { agent: 200 })
      await switchTo(client, id, another(subject, "fresh"))
      await client.turn(id, "live-switch once more")
      assert.deepStrictEqual(await figures(client, id), { agent: 200, fresh: 100 })
      assert.lengthOf(
        (await client.events(id)).filter((event) => shape(event) === "stats"),
        1
      )
    }
  },
  {
    name: "gives the new model to a condenser that had the old one, uncounted until the conversation is loaded again",
    run: async (subject) => {
      subject.script({ marker: "condenser-switch", steps: [say("done")] })
      const client = make(subject)
      const llm = { ...subject.llm(), usage_id: "condenser" }
      const condenser = { kind: "LLMSummarizingCondenser", llm, max_size: 240, keep_first: 2 }
      const id = await client.create({ agent: { condenser } })
      await client.turn(id, "condenser-switch")
      await switchTo(client, id, another(subject, "fresh"))
      const { llm: given } = dig(await client.info(id), "agent.condenser") as { readonly llm: unknown }
      assert.deepStrictEqual([dig(given, "model"), dig(given, "usage_id")], ["openai/another", "condenser"])
      await client.turn(id, "condenser-switch again")
      await condense(client, id)
      assert.deepStrictEqual(await figures(client, id), { agent: 100, condenser: 0, fresh: 100 })
      await subject.restart("SIGKILL")
      await client.turn(id, "condenser-switch once more")
      await client.turn(id, "condenser-switch the last")
      await condense(client, id)
      await client.until("the condenser's usage", async () =>
        Number((await figures(client, id))["condenser"]) > 0 ? true : undefined
      )
    }
  }
]
