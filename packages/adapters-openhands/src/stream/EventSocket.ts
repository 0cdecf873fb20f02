/**
 * One connection to `/sockets/events/{id}`: its frames in order, bounded, and why it ended. It pings, because the server
 * never does, and gives a connection up that answers nothing. Reconnecting is `EventStream`'s matter.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type RawData, WebSocket } from "ws"
import type { Endpoint } from "../server/AgentServer.ts"

/** `refused`: the session key is not accepted. `missing`: the server does not have the conversation. */
export type Closing = "refused" | "missing" | "lost"

/** The connection ended, or never came about. */
export class SocketClosed extends Data.TaggedError("SocketClosed")<{
  readonly closing: Closing
  /** What happened; never the address, which may hold the session key. */
  readonly message: string
}> {}

export interface EventSocket {
  /** The frames that came since the last call; waits for one. Fails when all were taken and the connection is over. */
  readonly take: Effect.Effect<ReadonlyArray<string>, SocketClosed>
}

/** A `full_state` of a long conversation has megabytes; what is larger than this is no event. */
const maxFrameBytes = 64 * 1024 * 1024
/** What may wait to be taken; beyond it the socket is paused, and the rest waits in the network. */
const maxWaiting = { frames: 512, bytes: 8 * 1024 * 1024 }
const openTimeoutMs = 10_000
const pingIntervalMs = 15_000
/** Pings without any sign of the other side until the connection counts as dead. */
const maxUnanswered = 2

/** The close codes of the agent-server. A key in header or query is refused before the socket opens, with status 403. */
const closingOf = (code: number): Closing => {
  if (code === 4001) return "refused"
  return code === 4004 ? "missing" : "lost"
}

const addressOf = (endpoint: Endpoint, conversation: string): string => {
  const url = new URL(`${endpoint.baseUrl}/sockets/events/${encodeURIComponent(conversation)}`)
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:"
  if (endpoint.sessionKey !== null && endpoint.authMode === "query_param") {
    url.searchParams.set(endpoint.queryParamName, Redacted.value(endpoint.sessionKey))
  }
  return url.href
}

const headersOf = ({ authMode, sessionKey }: Endpoint): { readonly [name: string]: string } =>
  sessionKey === null || authMode !== "header" ? {} : { "x-session-api-key": Redacted.value(sessionKey) }

// "nodebuffer" is the library's default, so a message is one Buffer.
const decode = (data: RawData): string => data.toString()

interface Inbox {
  readonly push: (frame: string) => void
  readonly close: (closed: SocketClosed) => void
  readonly take: Effect.Effect<ReadonlyArray<string>, SocketClosed>
}

const makeInbox = (socket: WebSocket): Inbox => {
  const ready = Latch.makeUnsafe(false)
  let waiting: Array<string> = []
  let bytes = 0
  let closed: SocketClosed | null = null
  const take: Inbox["take"] = Effect.suspend(() => {
    if (waiting.length > 0) {
      const frames = waiting
      waiting = []
      bytes = 0
      socket.resume()
      return Effect.succeed(frames)
    }
    if (closed !== null) return closed
    ready.closeUnsafe()
    return Effect.andThen(ready.await, take)
  })
  return {
    take,
    push: (frame) => {
      waiting.push(frame)
      bytes += frame.length
      if (waiting.length >= maxWaiting.frames || bytes >= maxWaiting.bytes) socket.pause()
      ready.openUnsafe()
    },
    close: (reason) => {
      closed ??= reason
      ready.openUnsafe()
    }
  }
}

const connect = (endpoint: Endpoint, conversation: string) =>
  Effect.callback<readonly [WebSocket, Inbox], SocketClosed>((resume) => {
    const socket = new WebSocket(addressOf(endpoint, conversation), {
      headers: headersOf(endpoint),
      handshakeTimeout: openTimeoutMs,
      maxPayload: maxFrameBytes,
      perMessageDeflate: false
    })
    const inbox = makeInbox(socket)
    const end = (closing: Closing, message: string) => {
      const closed = new SocketClosed({ closing, message })
      inbox.close(closed)
      resume(Effect.fail(closed))
    }
    socket.on("message", (data) => inbox.push(decode(data)))
    socket.once("open", () => resume(Effect.succeed([socket, inbox])))
    socket.once("unexpected-response", (request, response) => {
      request.destroy()
      const status = response.statusCode ?? 0
      const refused = status === 401 || status === 403
      end(refused ? "refused" : "lost", `the server answered the socket with status ${status}`)
    })
    // The library's messages may hold the address. A close follows every error.
    socket.on("error", (error: NodeJS.ErrnoException) => end("lost", `the socket failed (${error.code ?? error.name})`))
    socket.once("close", (code) => end(closingOf(code), `the server closed the socket with code ${code}`))
    return Effect.sync(() => socket.terminate())
  })

/** Ends a connection whose other side is silent although it was pinged. */
const watch = (socket: WebSocket) => {
  let unanswered = 0
  const alive = () => {
    unanswered = 0
  }
  socket.on("pong", alive)
  socket.on("ping", alive)
  socket.on("message", alive)
  return Effect.sync(() => {
    // A paused socket does not read, so it hears no pong either.
    if (socket.isPaused) return
    if (unanswered++ >= maxUnanswered) socket.terminate()
    else if (socket.readyState === WebSocket.OPEN) socket.ping()
  }).pipe(Effect.delay(pingIntervalMs), Effect.forever)
}

/** Opens a connection that is closed with the scope. */
export const open = (endpoint: Endpoint, conversation: string): Effect.Effect<EventSocket, SocketClosed, Scope.Scope> =>
  Effect.gen(function* () {
    const [socket, inbox] = yield* Effect.acquireRelease(
      connect(endpoint, conversation),
      ([socket]) => Effect.sync(() => socket.terminate()),
      { interruptible: true }
    )
    yield* Effect.forkScoped(watch(socket))
    return { take: inbox.take }
  })
