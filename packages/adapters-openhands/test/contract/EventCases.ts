/** The log over REST, and sockets: what is sent, to whom, and how connections end. */
import { assert } from "@effect/vitest"
import { say, shellThenFinish } from "../../src/testing/model/ModelScript.ts"
import { dig, isFullState, type Json, make, shape } from "./Client.ts"
import type { ContractCase, Subject } from "./Subject.ts"

/** A conversation after a turn with one tool call. */
const afterTurn = async (subject: Subject, marker: string) => {
  subject.script(shellThenFinish(marker, "true"))
  const client = make(subject)
  const id = await client.create()
  await client.turn(id, marker)
  return { client, id }
}

const idsOf = (events: ReadonlyArray<Json>) => events.map(({ id }) => String(id))

const auth = (key: string) => JSON.stringify({ type: "auth", session_api_key: key })

export const eventCases: ReadonlyArray<ContractCase> = [
  {
    name: "sends the whole state first, then every event of the log, and the whole state at the end",
    run: async (subject) => {
      subject.script(shellThenFinish("watched-turn", "true"))
      const client = make(subject)
      const id = await client.create()
      const socket = await client.attached(id)
      assert.strictEqual(dig(socket.frames[0], "value.execution_status"), "idle")
      await client.turn(id, "watched-turn")
      await client.until("the last state", () => (isFullState(socket.frames.at(-1) ?? {}) ? true : undefined))
      const last = socket.frames.at(-1)
      assert.strictEqual(dig(last, "value.execution_status"), "finished")
      assert.strictEqual(dig(last, "value.stats.usage_to_metrics.agent.accumulated_token_usage.prompt_tokens"), 200)
      const durable = socket.frames.filter((frame) => !isFullState(frame))
      const log = await client.events(id)
      assert.sameMembers(idsOf(durable), idsOf(log))
      assert.deepStrictEqual(
        durable.find(({ kind }) => kind === "ActionEvent"),
        log.find(({ kind }) => kind === "ActionEvent")
      )
      socket.close()
    }
  },
  {
    name: "stamps events with local time and no offset",
    run: async (subject) => {
      const { client, id } = await afterTurn(subject, "stamped-turn")
      for (const { timestamp } of await client.events(id)) {
        assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?$/)
      }
      assert.match(String((await client.info(id)).created_at), /Z$/)
    }
  },
  {
    name: "pages the log from an inclusive page id, without a gap or a double",
    run: async (subject) => {
      const { client, id } = await afterTurn(subject, "paged-turn")
      const whole = idsOf(await client.events(id))
      const paged: Array<string> = []
      let page: string | null = null
      do {
        const query: string = page === null ? "" : `&page_id=${page}`
        const { body } = await client.request("GET", client.at(id, `/events/search?limit=3${query}`))
        paged.push(...idsOf(dig(body, "items") as ReadonlyArray<Json>))
        page = dig(body, "next_page_id") as string | null
      } while (page !== null && paged.length <= whole.length)
      assert.deepStrictEqual(paged, whole)
      const count = await client.request("GET", client.at(id, "/events/count"))
      assert.strictEqual(count.body, whole.length)
      assert.deepStrictEqual(idsOf(await client.events(id, "&sort_order=TIMESTAMP_DESC")), whole.toReversed())
    }
  },
  {
    name: "starts from the beginning when a page id is unknown",
    run: async (subject) => {
      const { client, id } = await afterTurn(subject, "lost-page")
      assert.deepStrictEqual(idsOf(await client.events(id, "&page_id=nowhere")), idsOf(await client.events(id)))
    }
  },
  {
    name: "refuses page limits below 1 and above 100",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      for (const [limit, status] of [
        [0, 422],
        [1, 200],
        [100, 200],
        [101, 422]
      ] as const) {
        const answer = await client.request("GET", client.at(id, `/events/search?limit=${limit}`))
        assert.strictEqual(answer.status, status, `limit=${limit}`)
      }
    }
  },
  {
    name: "filters by kind, bare or qualified, by source and by text",
    run: async (subject) => {
      const { client, id } = await afterTurn(subject, "filtered-turn")
      const qualified = "openhands.sdk.event.llm_convertible.message.MessageEvent"
      assert.deepStrictEqual((await client.events(id, "&kind=MessageEvent")).map(shape), ["message:user"])
      assert.deepStrictEqual((await client.events(id, `&kind=${qualified}`)).map(shape), ["message:user"])
      assert.deepStrictEqual((await client.events(id, "&source=agent")).map(shape), [
        "SystemPromptEvent",
        "ActionEvent:terminal",
        "ActionEvent:finish"
      ])
      assert.deepStrictEqual((await client.events(id, "&body=FILTERED-turn")).map(shape), ["message:user"])
    }
  },
  {
    name: "gives one event by its id, and answers 500 for one it does not have",
    run: async (subject) => {
      const { client, id } = await afterTurn(subject, "single-turn")
      const [first] = await client.events(id)
      const answer = await client.request("GET", client.at(id, `/events/${String(first?.id)}`))
      assert.strictEqual(dig(answer.body, "id"), first?.id)
      assert.strictEqual((await client.request("GET", client.at(id, "/events/nowhere"))).status, 500)
    }
  },
  {
    name: "refuses a message of an unknown role or without a body",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const path = client.at(id, "/events")
      assert.strictEqual((await client.request("POST", path, { role: "nobody", content: [] })).status, 422)
      assert.strictEqual((await client.request("POST", path)).status, 422)
      assert.deepStrictEqual(await client.events(id), [])
    }
  },
  {
    name: "replays the log to a socket that asks for it",
    run: async (subject) => {
      const { client, id } = await afterTurn(subject, "replayed-turn")
      const log = idsOf(await client.events(id))
      const socket = client.socket(id, "?resend_mode=all")
      await client.until("the replay", () => (socket.frames.length > log.length ? true : undefined))
      assert.deepStrictEqual(idsOf(socket.frames.filter((frame) => !isFullState(frame))), log)
      socket.close()
    }
  },
  {
    name: "answers a bad frame on that socket alone, and keeps it open",
    run: async (subject) => {
      subject.script({ marker: "after-the-bad-frame", steps: [say("fine")] })
      const client = make(subject)
      const id = await client.create()
      const [speaker, listener] = [await client.attached(id), await client.attached(id)]
      speaker.send(auth("redundant"))
      speaker.send("{oops")
      await client.until("the error", () => speaker.frames.find(({ kind }) => kind === "ServerErrorEvent"))
      await client.turn(id, "after-the-bad-frame")
      const ended = (frame: Json) => isFullState(frame) && dig(frame, "value.execution_status") === "finished"
      await client.until("the end", () => speaker.frames.find(ended))
      await client.until("the end", () => listener.frames.find(ended))
      assert.notInclude(listener.frames.map(shape), "ServerErrorEvent")
      speaker.close()
      listener.close()
    }
  },
  {
    name: "asks for the key on /api alone",
    run: async (subject) => {
      const client = make(subject)
      const answer = await client.request("GET", "/api/conversations/count", undefined, "wrong")
      assert.deepStrictEqual(answer, { status: 401, body: { detail: "Unauthorized" } })
      for (const path of ["/alive", "/health", "/ready", "/server_info"]) {
        assert.strictEqual((await client.request("GET", path, undefined, "wrong")).status, 200, path)
      }
      assert.deepStrictEqual((await client.request("GET", "/ready")).body, { status: "ready" })
      assert.deepStrictEqual((await client.request("GET", "/health")).body, { status: "ok" })
      const { body } = await client.request("GET", "/server_info")
      assert.match(String(dig(body, "version")), /^\d+\.\d+\.\d+$/)
    }
  },
  {
    name: "refuses a socket with a wrong key, or for an id that is none, before it opens",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const refused = [
        client.socket(id, "", { "x-session-api-key": "wrong" }),
        client.socket(id, "?session_api_key=wrong", {}),
        client.socket("not-an-id")
      ]
      assert.deepStrictEqual(await Promise.all(refused.map(({ ended }) => ended)), [
        { http: 403 },
        { http: 403 },
        { http: 403 }
      ])
    }
  },
  {
    name: "takes a socket's key in its first frame, and closes with 4001 on anything else",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const good = client.socket(id, "", {})
      good.send(auth(subject.key))
      await client.until("the state", () => good.frames.find(isFullState))
      good.close()
      for (const frame of [auth("wrong"), "{oops", "[]", JSON.stringify({ role: "user", content: [] })]) {
        const bad = client.socket(id, "", {})
        bad.send(frame)
        assert.deepStrictEqual(await bad.ended, { code: 4001 }, frame)
      }
    }
  },
  {
    name: "closes a socket of a conversation that is missing with 4004",
    run: async (subject) => {
      const client = make(subject)
      const socket = client.socket("00000000-0000-4000-8000-000000000000")
      assert.deepStrictEqual(await socket.ended, { code: 4004 })
    }
  },
  {
    name: "closes a socket too many with 1013",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const sockets = Array.from({ length: 51 }, () => client.socket(id))
      const ended = await Promise.race(sockets.map((socket) => socket.ended))
      assert.deepStrictEqual(ended, { code: 1013 })
      for (const socket of sockets) socket.close()
    }
  }
]
