/** Stopping: interrupts, pauses, and what the state lock makes wait. */
import { assert } from "@effect/vitest"
import { finish, type ModelReply, say, shell } from "../../src/testing/model/ModelScript.ts"
import { make, shape } from "./Client.ts"
import type { ContractCase } from "./Subject.ts"

const LONG = "sleep 45"

/** A conversation in the middle of a long command. */
const inLongCommand = async (subject: Parameters<ContractCase["run"]>[0], marker: string) => {
  subject.script({ marker, steps: [shell(LONG), finish("slept")] })
  const client = make(subject)
  const id = await client.create()
  await client.say(id, marker, true)
  await client.event(id, "the command", (event) => shape(event) === "ActionEvent:terminal")
  return { client, id }
}

/** Whether a request is still open after its first second. */
const waits = async (client: ReturnType<typeof make>, request: Promise<unknown>): Promise<boolean> => {
  let ended = false
  void request.then(() => (ended = true))
  const started = performance.now()
  await client.until("a second", () => (ended || performance.now() - started > 1000 ? true : undefined))
  return !ended
}

export const stopCases: ReadonlyArray<ContractCase> = [
  {
    name: "interrupts a long command: paused, the open call told as interrupted, no observation",
    run: async (subject) => {
      const { client, id } = await inLongCommand(subject, "interrupted-command")
      assert.deepStrictEqual((await client.request("POST", client.at(id, "/interrupt"))).body, { success: true })
      await client.rests(id, "paused")
      await client.event(id, "the interrupt", ({ kind }) => kind === "InterruptEvent")
      const events = await client.events(id)
      const action = events.find((event) => shape(event) === "ActionEvent:terminal")
      const error = events.find(({ kind }) => kind === "AgentErrorEvent")
      assert.strictEqual(error?.tool_call_id, action?.tool_call_id)
      assert.notInclude(events.map(shape), "ObservationEvent:terminal")
    }
  },
  {
    name: "goes on after an interrupt when it is run again",
    run: async (subject) => {
      const { client, id } = await inLongCommand(subject, "resumed-command")
      await client.request("POST", client.at(id, "/interrupt"))
      await client.rests(id, "paused")
      await client.run(id)
      await client.rests(id, "finished")
    }
  },
  {
    name: "interrupts a model that thinks",
    run: async (subject) => {
      subject.script({ marker: "thinking-one", steps: [{ ...say("too late"), delayMs: 15_000 } as ModelReply] })
      const client = make(subject)
      const id = await client.create()
      await client.say(id, "thinking-one", true)
      await client.rests(id, "running")
      await client.request("POST", client.at(id, "/interrupt"))
      await client.rests(id, "paused")
      await client.event(id, "the interrupt", ({ kind }) => kind === "InterruptEvent")
      assert.notInclude((await client.events(id)).map(shape), "message:agent")
    }
  },
  {
    name: "pauses an idle conversation, by an interrupt too",
    run: async (subject) => {
      const client = make(subject)
      for (const action of ["/pause", "/interrupt"]) {
        const id = await client.create()
        assert.deepStrictEqual((await client.request("POST", client.at(id, action))).body, { success: true })
        await client.rests(id, "paused")
        assert.deepStrictEqual((await client.events(id)).map(shape), ["status:paused", "PauseEvent"])
      }
    }
  },
  {
    name: "leaves a finished conversation finished on interrupt",
    run: async (subject) => {
      subject.script({ marker: "finished-one", steps: [say("done")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "finished-one")
      const before = (await client.events(id)).length
      assert.strictEqual((await client.request("POST", client.at(id, "/interrupt"))).status, 200)
      assert.strictEqual(await client.status(id), "finished")
      assert.strictEqual((await client.events(id)).length, before)
    }
  },
  {
    name: "leaves a conversation that waits for a confirmation waiting on interrupt",
    run: async (subject) => {
      subject.script({ marker: "waiting-one", steps: [shell("echo x"), finish("done")] })
      const client = make(subject)
      const id = await client.create({ confirmation_policy: { kind: "AlwaysConfirm" } })
      await client.turn(id, "waiting-one", "waiting_for_confirmation")
      assert.strictEqual((await client.request("POST", client.at(id, "/interrupt"))).status, 200)
      assert.strictEqual(await client.status(id), "waiting_for_confirmation")
    }
  },
  {
    name: "answers a pause only when the running tool has ended",
    run: async (subject) => {
      const { client, id } = await inLongCommand(subject, "paused-command")
      const pause = client.request("POST", client.at(id, "/pause"))
      assert.isTrue(await waits(client, pause))
      assert.strictEqual(await client.status(id), "running")
      await client.request("POST", client.at(id, "/interrupt"))
      assert.strictEqual((await pause).status, 200)
      await client.rests(id, "paused")
    }
  },
  {
    name: "takes a message only when the running tool has ended; reading does not wait",
    run: async (subject) => {
      const { client, id } = await inLongCommand(subject, "steered-command")
      const message = client.say(id, "steer left")
      assert.isTrue(await waits(client, message))
      assert.isNotEmpty(await client.events(id))
      await client.request("POST", client.at(id, "/interrupt"))
      assert.strictEqual((await message).status, 200)
      await client.rests(id, "paused")
    }
  },
  {
    name: "tells a new socket the state only when the running tool has ended",
    run: async (subject) => {
      const { client, id } = await inLongCommand(subject, "watched-command")
      const socket = client.socket(id)
      const state = client.until("the state", () => socket.frames.find(({ key }) => key === "full_state"))
      assert.isTrue(await waits(client, state))
      await client.request("POST", client.at(id, "/interrupt"))
      await state
      socket.close()
    }
  }
]
