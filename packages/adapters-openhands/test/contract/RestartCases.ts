/** What a conversation is after the server ended, cleanly and not. */
import { assert } from "@effect/vitest"
import { finish, type ModelReply, say, shell } from "../../src/testing/model/ModelScript.ts"
import { dig, isFullState, make, shape } from "./Client.ts"
import type { ContractCase } from "./Subject.ts"

export const restartCases: ReadonlyArray<ContractCase> = [
  {
    name: "after kill -9 in a command: error, the open call told, no conversation error, and a run goes on",
    run: async (subject) => {
      subject.script({ marker: "killed-command", steps: [shell("sleep 45"), finish("slept")] })
      const client = make(subject)
      const id = await client.create()
      const socket = await client.attached(id)
      await client.say(id, "killed-command", true)
      await client.event(id, "the command", (event) => shape(event) === "ActionEvent:terminal")
      await subject.restart("SIGKILL")
      assert.deepStrictEqual(await socket.ended, { code: 1006 })
      assert.strictEqual(await client.status(id), "error")
      const events = await client.events(id)
      const action = events.find((event) => shape(event) === "ActionEvent:terminal")
      const error = events.find(({ kind }) => kind === "AgentErrorEvent")
      assert.strictEqual(error?.tool_call_id, action?.tool_call_id)
      assert.notInclude(events.map(shape), "ConversationErrorEvent")
      await client.run(id)
      await client.rests(id, "finished")
    }
  },
  {
    name: "after SIGTERM while the model thinks: paused, sockets closed with 1012, and a run goes on",
    run: async (subject) => {
      subject.script({ marker: "stopped-thought", steps: [{ ...say("thought"), delayMs: 5000 } as ModelReply] })
      const client = make(subject)
      const id = await client.create()
      const socket = await client.attached(id)
      await client.say(id, "stopped-thought", true)
      await client.rests(id, "running")
      await subject.restart("SIGTERM")
      assert.deepStrictEqual(await socket.ended, { code: 1012 })
      assert.strictEqual(await client.status(id), "paused")
      await client.run(id)
      await client.rests(id, "finished")
    }
  },
  {
    name: "keeps what is finished, its usage, its secrets' names and a key that works",
    run: async (subject) => {
      subject.script({ marker: "kept-turn", steps: [say("kept")] })
      const client = make(subject)
      const id = await client.create({ tags: { issue: "kept" } })
      await client.request("POST", client.at(id, "/secrets"), { secrets: { MY_TOKEN: "x" } })
      await client.turn(id, "kept-turn")
      const before = await client.events(id)
      await subject.restart("SIGKILL")
      const info = await client.info(id)
      assert.strictEqual(info.execution_status, "finished")
      assert.deepStrictEqual(info.tags, { issue: "kept" })
      assert.deepStrictEqual(Object.keys(dig(info, "secret_registry.secret_sources") as object), ["MY_TOKEN"])
      const prompt = "stats.usage_to_metrics.agent.accumulated_token_usage.prompt_tokens"
      assert.strictEqual(dig(info, prompt), 100)
      assert.deepStrictEqual(await client.events(id), before)
      const socket = await client.attached(id)
      await client.turn(id, "kept-turn again")
      const ended = await client.until("the end", () =>
        socket.frames.find(
          (frame) =>
            isFullState(frame) &&
            dig(frame, "value.execution_status") === "finished" &&
            dig(frame, `value.${prompt}`) === 200
        )
      )
      assert.isDefined(ended)
      socket.close()
    }
  }
]
