import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { WebSocket } from "ws"
import { TurnScript } from "../../src/testing/index.ts"
import { dig, isFullState, type Json, shape } from "../contract/Client.ts"
import { withFake } from "./Fake.ts"

const scripts = [{ steps: [TurnScript.say("hello")] }]
const WHOLE = [
  "full_state",
  "SystemPromptEvent",
  "last_user_message_id",
  "message:user",
  "status:running",
  "stats",
  "message:agent",
  "status:finished",
  "full_state"
]

const finished = (frame: Json) => isFullState(frame) && dig(frame, "value.execution_status") === "finished"

describe("faults of frames", () => {
  const meddled = (effect: Parameters<typeof withFake>[0]["faults"], expected: ReadonlyArray<string>) =>
    withFake({ scripts, ...(effect === undefined ? {} : { faults: effect }) }, async ({ client }) => {
      const id = await client.create()
      const socket = await client.attached(id)
      await client.turn(id, "hello")
      await client.until("the end", () => socket.frames.find(finished))
      assert.deepStrictEqual(socket.frames.map(shape), expected)
    })

  it("sends everything when nothing is wrong", meddled([], WHOLE))

  it(
    "drops frames of a kind, which the log still has",
    meddled(
      [{ on: "frame", kind: "MessageEvent", effect: { type: "drop" } }],
      WHOLE.filter((name) => !name.startsWith("message"))
    )
  )

  it(
    "sends frames twice",
    meddled(
      [{ on: "frame", key: "stats", effect: { type: "duplicate" } }],
      WHOLE.flatMap((name) => (name === "stats" ? [name, name] : [name]))
    )
  )

  it(
    "swaps a frame with the next",
    meddled(
      [{ on: "frame", key: "stats", effect: { type: "swap" } }],
      WHOLE.map((name) => (name === "stats" ? "message:agent" : name === "message:agent" ? "stats" : name))
    )
  )

  it(
    "puts an event of an unknown kind between",
    meddled(
      [{ on: "frame", key: "stats", effect: { type: "unknown" } }],
      WHOLE.flatMap((name) => (name === "stats" ? ["EventOfTheFuture", name] : [name]))
    )
  )

  it(
    "puts a frame of 10 MB between",
    withFake(
      { scripts, faults: [{ on: "frame", key: "stats", effect: { type: "large", bytes: 10_000_000 } }] },
      async ({ client }) => {
        const id = await client.create()
        const socket = await client.attached(id)
        await client.turn(id, "hello")
        await client.until("the end", () => socket.frames.find(finished))
        const sizes = socket.frames.map((frame) => JSON.stringify(frame).length)
        assert.isAbove(Math.max(...sizes), 10_000_000)
      }
    )
  )

  it(
    "cuts the connection at a frame",
    withFake(
      { scripts, faults: [{ on: "frame", key: "stats", times: 1, effect: { type: "cut" } }] },
      async ({ client }) => {
        const id = await client.create()
        const socket = await client.attached(id)
        await client.turn(id, "hello")
        assert.deepStrictEqual(await socket.ended, { code: 1006 })
        assert.notInclude(socket.frames.map(shape), "stats")
        await client.attached(id)
      }
    )
  )

  it(
    "cuts every socket on order",
    withFake({}, async ({ client, fake }) => {
      const id = await client.create()
      const sockets = [await client.attached(id), await client.attached(id)]
      assert.strictEqual(fake.conversation(id)?.sockets, 2)
      fake.cutSockets()
      assert.deepStrictEqual(await Promise.all(sockets.map(({ ended }) => ended)), [{ code: 1006 }, { code: 1006 }])
    })
  )

  it(
    "closes new sockets with a code",
    withFake({ faults: [{ on: "connect", times: 1, effect: { type: "close", code: 1013 } }] }, async ({ client }) => {
      const id = await client.create()
      assert.deepStrictEqual(await client.socket(id).ended, { code: 1013 })
      await client.attached(id)
    })
  )

  it(
    "pings its sockets, and gives up one that does not answer",
    withFake({ pingEveryMs: 50 }, async ({ client, fake }) => {
      const id = await client.create()
      const open = (autoPong: boolean) =>
        new WebSocket(`${fake.url.replace("http", "ws")}/sockets/events/${id}?session_api_key=test-key`, { autoPong })
      const [polite, silent] = [open(true), open(false)]
      let pings = 0
      polite.on("ping", () => pings++)
      assert.strictEqual(await new Promise((resolve) => silent.on("close", resolve)), 1011)
      await client.until("several pings", () => (pings >= 3 ? true : undefined))
      assert.strictEqual(polite.readyState, WebSocket.OPEN)
      polite.terminate()
    })
  )

  it(
    "publishes an event before the log has it",
    withFake({ persistLagMs: 300, scripts }, async ({ client, fake }) => {
      const id = await client.create()
      const socket = await client.attached(id)
      fake.emit(id, { kind: "LateEvent" })
      await client.until("the frame", () => socket.frames.find(({ kind }) => kind === "LateEvent"))
      assert.deepStrictEqual(await client.events(id), [])
      await client.event(id, "the late event", ({ kind }) => kind === "LateEvent")
    })
  )

  it(
    "stamps events in the zone of the server without saying so",
    withFake({ utcOffsetMinutes: 120 }, async ({ client, fake }) => {
      const id = await client.create()
      const utc = fake.pace.now()
      fake.emit(id, { kind: "Stamped" })
      const [event] = await client.events(id)
      assert.approximately(Date.parse(`${String(event?.timestamp)}Z`) - utc, 120 * 60_000, 5000)
    })
  )
})

describe("misbehaviour of conversations", () => {
  it(
    "never sends a full state",
    withFake({ scripts, faults: [{ on: "behaviour", behaviour: "noFullState" }] }, async ({ client }) => {
      const id = await client.create()
      const socket = client.socket(id)
      await client.turn(id, "hello")
      await client.until("the end", () => socket.frames.find((frame) => shape(frame) === "status:finished"))
      assert.isFalse(isFullState(socket.frames[0] ?? {}))
    })
  )

  it(
    "refuses runs for ever though it is idle",
    withFake({ faults: [{ on: "behaviour", behaviour: "wedged" }] }, async ({ client }) => {
      const id = await client.create()
      await client.say(id, "hello")
      assert.strictEqual((await client.run(id)).status, 409)
      assert.strictEqual(await client.status(id), "idle")
      assert.strictEqual((await client.request("POST", client.at(id, "/interrupt"))).status, 200)
      assert.strictEqual((await client.run(id)).status, 409)
    })
  )

  it(
    "answers an interrupt with success and goes on",
    withFake(
      {
        speed: 50,
        scripts: [{ steps: [TurnScript.longCommand(20_000), TurnScript.finish("on")] }],
        faults: [{ on: "behaviour", behaviour: "lostStop" }]
      },
      async ({ client }) => {
        const id = await client.create()
        await client.say(id, "hello", true)
        await client.event(id, "the command", ({ kind }) => kind === "ActionEvent")
        assert.strictEqual((await client.request("POST", client.at(id, "/interrupt"))).status, 200)
        assert.strictEqual(await client.status(id), "running")
        await client.rests(id, "finished")
      }
    )
  )

  it(
    "pauses on an interrupt while the command goes on",
    withFake({ faults: [{ on: "behaviour", behaviour: "deafCommand" }] }, async ({ client, fake, root }) => {
      fake.script({ steps: [TurnScript.shell(`sleep 1; echo late > ${root}/late.txt`), TurnScript.finish("never")] })
      const id = await client.create()
      await client.say(id, "hello", true)
      await client.event(id, "the command", ({ kind }) => kind === "ActionEvent")
      await client.request("POST", client.at(id, "/interrupt"))
      await client.rests(id, "paused")
      assert.isFalse(existsSync(join(root, "late.txt")))
      await client.until("the command's trace", () => (existsSync(join(root, "late.txt")) ? true : undefined))
    })
  )

  it(
    "lists and shows a conversation that is missing for everything else",
    withFake({}, async ({ client, fake }) => {
      const id = await client.create()
      fake.fault({ on: "behaviour", behaviour: "leaseHeld", conversation: id })
      assert.strictEqual((await client.request("GET", client.at(id))).status, 200)
      assert.strictEqual((await client.run(id)).status, 404)
      assert.strictEqual((await client.request("GET", client.at(id, "/events/search"))).status, 404)
      assert.deepStrictEqual(await client.socket(id).ended, { code: 4004 })
      const { body } = await client.request("GET", "/api/conversations/search")
      assert.strictEqual(dig(body, "items.0.id"), id)
    })
  )

  it(
    "accepts a run that never starts",
    withFake({ scripts, faults: [{ on: "behaviour", behaviour: "lostRun", times: 1 }] }, async ({ client }) => {
      const id = await client.create()
      await client.say(id, "hello")
      assert.strictEqual((await client.run(id)).status, 200)
      assert.strictEqual(await client.status(id), "idle")
      await client.run(id)
      await client.rests(id, "finished")
    })
  )

  it(
    "runs for ever whatever one does",
    withFake({ speed: 50, faults: [{ on: "behaviour", behaviour: "eternal" }] }, async ({ client }) => {
      const id = await client.create()
      await client.say(id, "hello", true)
      assert.strictEqual((await client.request("POST", client.at(id, "/interrupt"))).status, 200)
      assert.strictEqual(await client.status(id), "running")
      assert.strictEqual((await client.run(id)).status, 409)
    })
  )
})
