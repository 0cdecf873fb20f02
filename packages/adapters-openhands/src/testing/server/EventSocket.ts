/** The fake's event sockets: authentication, the first state, replays, and frames that faults meddle with. */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { clearInterval, setInterval } from "node:timers"
import { WebSocket, WebSocketServer } from "ws"
import { asRecord, type LocalServer, parseJson } from "../LocalServer.ts"
import * as AgentEvents from "./AgentEvents.ts"
import type { Subscriber } from "./Conversation.ts"
import type { Conversations, Entry } from "./Conversations.ts"
import { conversationId } from "./CreateRequest.ts"
import type { Faults } from "./Faults.ts"
import type { Pace } from "./Pace.ts"
import type { Features } from "./ServerVersion.ts"

export interface SocketEnvironment {
  readonly conversations: () => Conversations
  readonly features: () => Features
  readonly faults: Faults
  readonly pace: Pace
  readonly apiKeys: () => ReadonlyArray<string>
  /** How often a socket is pinged, in real time; 0: never. */
  readonly pingEveryMs: number
}

/** How long the first frame of a client without a key may take. */
const AUTHENTICATION_MS = 10_000
/** Of one conversation. */
const MAX_SUBSCRIBERS = 50

const PATH = /^\/sockets\/events\/([^/]+)$/

/** Accepts event sockets on a server. */
export const attach = (server: LocalServer, environment: SocketEnvironment): void => {
  const sockets = new WebSocketServer({ noServer: true })
  server.http.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1")
    const id = conversationId(PATH.exec(url.pathname)?.[1] ?? "")
    const presented = url.searchParams.get("session_api_key") ?? headerOf(request)
    const keys = environment.apiKeys()
    // What is refused before the socket is accepted looks like a plain 403 to the client.
    if (id === undefined || (keys.length > 0 && presented !== undefined && !keys.includes(presented))) {
      return refuse(stream, 403)
    }
    if (keys.length > 0 && presented === undefined && !environment.features().firstMessageAuth)
      return refuse(stream, 403)
    const fault = environment.faults.forConnect(id)
    if (fault?.type === "cut" || fault?.type === "reset") return void stream.destroy()
    if (fault?.type === "hang") return
    if (fault?.type === "status") return refuse(stream, fault.status)
    sockets.handleUpgrade(request, stream, head, (socket) => {
      socket.on("error", () => socket.terminate())
      if (environment.pingEveryMs > 0) keepAlive(socket, environment.pingEveryMs)
      if (fault?.type === "close") return socket.close(fault.code)
      if (keys.length === 0 || presented !== undefined) return void subscribe(socket, id, url.searchParams, environment)
      authenticate(socket, keys, environment, () => void subscribe(socket, id, url.searchParams, environment))
    })
  })
}

/** Pings a client, and gives it up when the last ping was not answered. */
const keepAlive = (socket: WebSocket, everyMs: number): void => {
  let answered = true
  const timer = setInterval(() => {
    if (!answered) return socket.close(1011, "keepalive ping timeout")
    answered = false
    socket.ping()
  }, everyMs)
  socket.on("pong", () => {
    answered = true
  })
  socket.on("close", () => clearInterval(timer))
}

const headerOf = (request: IncomingMessage): string | undefined => {
  const value = request.headers["x-session-api-key"]
  return Array.isArray(value) ? value[0] : value
}

const refuse = (stream: Duplex, status: number): void => {
  stream.end(`HTTP/1.1 ${status} Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
}

const authenticate = (
  socket: WebSocket,
  keys: ReadonlyArray<string>,
  environment: SocketEnvironment,
  accepted: () => void
): void => {
  const given = new AbortController()
  const reject = () => socket.close(4001, "Authentication failed")
  void environment.pace.wait(AUTHENTICATION_MS, given.signal).then(reject, () => undefined)
  socket.once("close", () => given.abort())
  socket.once("message", (data: Buffer) => {
    given.abort()
    const frame = asRecord(parseJson(data.toString("utf8")))
    if (frame["type"] === "auth" && keys.includes(String(frame["session_api_key"]))) accepted()
    else reject()
  })
}

const subscribe = async (
  socket: WebSocket,
  id: string,
  query: URLSearchParams,
  environment: SocketEnvironment
): Promise<void> => {
  const { faults, features } = environment
  const entry = faults.behaves(id, "leaseHeld") ? undefined : environment.conversations().get(id)
  if (entry === undefined) return socket.close(4004, "Conversation not found")
  const { conversation } = entry
  if (conversation.subscribers.size >= MAX_SUBSCRIBERS) {
    return socket.close(1013, "Too many connections for this conversation")
  }
  const subscriber = subscriberOf(socket, id, environment)
  conversation.subscribers.add(subscriber)
  socket.on("close", () => conversation.subscribers.delete(subscriber))
  socket.on("message", (data: Buffer) => void receive(socket, entry, data.toString("utf8")))
  // The snapshot needs the state lock, so it comes only after the running tool; live events do not wait for it.
  await conversation.lock.hold(() => {
    if (!faults.behaves(id, "noFullState")) subscriber.send(conversation.fullState())
  })
  for (const event of replayOf(entry, query, features().resendMode)) subscriber.send(event)
}

const replayOf = (entry: Entry, query: URLSearchParams, modes: boolean): ReadonlyArray<AgentEvents.StampedEvent> => {
  const { events } = entry.conversation.record
  const mode = modes ? query.get("resend_mode") : null
  if (mode === "since") {
    const after = query.get("after_timestamp")?.replace(/(Z|[+-]\d\d:\d\d)$/, "")
    return after === undefined ? [] : events.filter(({ timestamp }) => timestamp >= after)
  }
  return mode === "all" || query.get("resend_all") === "true" ? [...events] : []
}

const ROLES = new Set(["user", "system", "assistant", "tool"])

const receive = async (socket: WebSocket, { conversation, loop }: Entry, text: string): Promise<void> => {
  const refuseFrame = (code: string, detail: string) =>
    socket.send(JSON.stringify(conversation.stamp(AgentEvents.serverError(code, detail))))
  const data = parseJson(text)
  if (data === undefined) return refuseFrame("JSONDecodeError", "Expecting value: line 1 column 1 (char 0)")
  const frame = asRecord(data)
  if (frame["type"] === "auth") return
  if (!ROLES.has(String(frame["role"]))) return refuseFrame("ValidationError", "1 validation error for Message")
  await loop.send(Array.isArray(frame["content"]) ? frame["content"] : [])
  loop.run()
}

const subscriberOf = (socket: WebSocket, id: string, { faults, pace }: SocketEnvironment): Subscriber => {
  const held: Array<string> = []
  const put = (text: string) => {
    if (socket.readyState !== WebSocket.OPEN) return
    socket.send(text)
    for (const late of held.splice(0)) socket.send(late)
  }
  const send = (event: AgentEvents.StampedEvent) => {
    if (socket.readyState !== WebSocket.OPEN) return
    const text = JSON.stringify(event)
    const key = event["key"]
    const fault = faults.forFrame(id, event.kind, typeof key === "string" ? key : undefined)
    switch (fault?.type) {
      case undefined:
        return put(text)
      case "drop":
        return
      case "duplicate":
        put(text)
        return put(text)
      case "swap":
        return void held.push(text)
      case "delay":
        return void pace.wait(fault.ms).then(() => put(text))
      case "cut":
        return socket.terminate()
      case "close":
        return socket.close(fault.code)
      case "garbage":
        put("{oops")
        return put(text)
      case "unknown":
        put(JSON.stringify({ ...event, id: `unknown-${event.id}`, kind: "EventOfTheFuture", payload: { deep: [1] } }))
        return put(text)
      case "large":
        put(JSON.stringify({ ...event, ...AgentEvents.large(fault.bytes), id: `large-${event.id}` }))
        return put(text)
    }
  }
  return {
    send,
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate()
  }
}
