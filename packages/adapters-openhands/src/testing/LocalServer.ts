/**
 * A plain HTTP server on a loopback port, as the test servers of this package need it: JSON in, JSON out, and a stop that
 * leaves no connection open. What a request means is the handler's business.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"

/** A request whose body has been read. */
export interface LocalRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  /** The text of the body; empty when there is none. */
  readonly body: string
}

/** A server that listens, and how to end it. */
export interface LocalServer {
  readonly port: number
  readonly url: string
  readonly http: Server
  /** Stops listening and cuts every connection. */
  readonly close: () => Promise<void>
}

/** The largest request body that is read: far beyond what a test sends. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Starts a server on 127.0.0.1; port 0 takes a free one. */
export const listen = async (
  handle: (request: LocalRequest, response: ServerResponse) => void | Promise<void>,
  port = 0
): Promise<LocalServer> => {
  const sockets = new Set<Socket>()
  const http = createServer((incoming, response) => {
    void read(incoming)
      .then((request) => handle(request, response))
      .catch((error: unknown) => {
        if (!response.headersSent)
          sendJson(response, 500, { detail: "Internal Server Error", exception: String(error) })
        else response.destroy()
      })
  })
  http.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    // A peer that resets its connection is an ordinary event here, not a crash of the test process.
    socket.on("error", () => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject)
    http.listen(port, "127.0.0.1", () => {
      http.off("error", reject)
      resolve()
    })
  })
  const bound = (http.address() as AddressInfo).port
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    http,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  }
}

const read = async (incoming: IncomingMessage): Promise<LocalRequest> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error(`the request body is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1")
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString("utf8")
  }
}

/** Answers with a JSON body. */
export const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  const text = JSON.stringify(body)
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
  response.end(text)
}

/** Parses a JSON text, or `undefined` when it is none. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** A JSON object's fields; an empty record for anything else. */
export const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
