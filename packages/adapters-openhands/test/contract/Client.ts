/** A plain client of the agent-server for the contract: requests, sockets, and bounded waits. */
import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { assert } from "@effect/vitest"
import { WebSocket } from "ws"
import type { Subject } from "./Subject.ts"

/** A JSON object as it came. */
export interface Json {
  readonly [field: string]: unknown
}

/** What is at a path like `llm_message.content.0.text`; `undefined` when there is nothing. */
export const dig = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((found, part) => (found as Json | null | undefined)?.[part], value)

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export interface Create {
  readonly llm?: Readonly<Record<string, unknown>>
  readonly agent?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface Socket {
  readonly frames: ReadonlyArray<Json>
  /** How the connection ended: a close code, or the HTTP status of a refusal. */
  readonly ended: Promise<{ readonly code?: number; readonly http?: number }>
  readonly send: (text: string) => void
  readonly close: () => void
}

/** How long a case waits for anything. */
const PATIENCE_MS = 20_000

/** The client of a subject. */
export const make = (subject: Subject) => {
  const request = async (method: string, path: string, body?: unknown, key: string = subject.key): Promise<Answer> => {
    const response = await fetch(subject.url() + path, {
      method,
      // No connection outlives its request: the server may be another one at the next.
      headers: { "x-session-api-key": key, "content-type": "application/json", connection: "close" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, body: text === "" ? undefined : (JSON.parse(text) as unknown) }
  }

  const createBody = ({ llm, agent, ...fields }: Create = {}) => ({
    conversation_id: randomUUID(),
    workspace: { kind: "LocalWorkspace", working_dir: subject.workspace() },
    autotitle: false,
    agent: {
      kind: "Agent",
      llm: { ...subject.llm(), ...llm },
      tools: [
        { name: "terminal", params: { terminal_type: "subprocess" } },
        { name: "file_editor", params: {} }
      ],
      ...agent
    },
    ...fields
  })

  const create = async (fields: Create = {}): Promise<string> => {
    const body = createBody(fields)
    const answer = await request("POST", "/api/conversations", body)
    assert.strictEqual(answer.status, 201, JSON.stringify(answer.body))
    return body.conversation_id
  }

  const at = (id: string, path = "") => `/api/conversations/${id}${path}`

  const say = (id: string, text: string, run = false) =>
    request("POST", at(id, "/events"), { role: "user", content: [{ type: "text", text }], run })

  const run = (id: string) => request("POST", at(id, "/run"))

  const info = async (id: string): Promise<Json> => (await request("GET", at(id))).body as Json

  const status = async (id: string): Promise<unknown> => (await info(id)).execution_status

  const until = async <A>(what: string, look: () => Promise<A | undefined> | A | undefined): Promise<A> => {
    for (let waited = 0; waited < PATIENCE_MS; waited += 50) {
      const found = await look()
      if (found !== undefined) return found
      await sleep(50)
    }
    throw new Error(`${what} did not come within ${PATIENCE_MS} ms`)
  }

  const rests = (id: string, wanted: string) =>
    until(`status ${wanted}`, async () => ((await status(id)) === wanted ? true : undefined))

  const events = async (id: string, query = ""): Promise<ReadonlyArray<Json>> =>
    dig((await request("GET", at(id, `/events/search?limit=100${query}`))).body, "items") as ReadonlyArray<Json>

  const event = (id: string, what: string, fits: (event: Json) => boolean): Promise<Json> =>
    until(what, async () => (await events(id)).find(fits))

  /** Says something, runs, and waits for the end that is expected. */
  const turn = async (id: string, text: string, end = "finished"): Promise<void> => {
    assert.strictEqual((await say(id, text)).status, 200)
    const said = await event(id, `the message ${text}`, (candidate) => textOf(candidate).includes(text))
    assert.strictEqual((await run(id)).status, 200)
    // A status from before the run may still be shown: wait for a trace of this run first.
    await until("a trace of the run", async () => {
      const log = await events(id, "&sort_order=TIMESTAMP_DESC")
      const after = log.slice(
        0,
        log.findIndex((candidate) => candidate.id === said.id)
      )
      return after.some((candidate) => candidate.key === "execution_status" && candidate.value === end)
        ? true
        : undefined
    })
    await rests(id, end)
  }

  const socket = (
    id: string,
    query = "",
    headers: Record<string, string> = { "x-session-api-key": subject.key }
  ): Socket => {
    const frames: Array<Json> = []
    const socket = new WebSocket(`${subject.url().replace("http", "ws")}/sockets/events/${id}${query}`, { headers })
    const ended = new Promise<{ code?: number; http?: number }>((resolve) => {
      socket.on("close", (code) => resolve({ code }))
      socket.on("unexpected-response", (_, response) => resolve({ http: response.statusCode ?? 0 }))
      socket.on("error", () => undefined)
    })
    socket.on("message", (data: Buffer) => frames.push(JSON.parse(data.toString("utf8")) as Json))
    const open = new Promise((resolve) => socket.once("open", resolve))
    return {
      frames,
      ended,
      send: (text) => void open.then(() => socket.send(text)),
      close: () => socket.terminate()
    }
  }

  /** A socket that has its first state. */
  const attached = async (id: string, query = ""): Promise<Socket> => {
    const opened = socket(id, query)
    await until("the first full state", () => opened.frames.find(isFullState))
    return opened
  }

  return {
    request,
    createBody,
    create,
    at,
    say,
    run,
    info,
    status,
    until,
    rests,
    events,
    event,
    turn,
    socket,
    attached
  }
}

export type Client = ReturnType<typeof make>

export const isFullState = (frame: Json): boolean => frame.key === "full_state"

/** The text of a message event; empty for others. */
export const textOf = (event: Json): string =>
  event.kind === "MessageEvent" ? String(dig(event, "llm_message.content.0.text") ?? "") : ""

/** An event in one word, as the cases name them. */
export const shape = (event: Json): string => {
  if (event.kind === "ConversationStateUpdateEvent") {
    return event.key === "execution_status" ? `status:${String(event.value)}` : String(event.key)
  }
  if (event.kind === "MessageEvent") return `message:${String(event.source)}`
  if (event.kind === "ActionEvent" || event.kind === "ObservationEvent")
    return `${event.kind}:${String(event.tool_name)}`
  return String(event.kind)
}
