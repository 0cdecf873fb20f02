/**
 * The HTTP server of the fake: `/graphql`, the addresses of uploads and their files, and `/control/*`. It binds loopback only,
 * and closing it ends every connection, also those that a fault keeps waiting.
 */
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout } from "node:timers"
import { type ApiState, respond } from "./Api.ts"
import * as Board from "./Board.ts"
import type { Reply } from "./FaultAnswers.ts"

export interface Server {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string
  readonly close: () => Promise<void>
  /** Ends every connection; new ones are taken. */
  readonly disconnect: () => void
}

/** Carries a control call out; throws with the reason when it cannot. */
export type ControlCall = (method: string, args: ReadonlyArray<unknown>) => unknown

const largestBody = 64 * 1024 * 1024

export async function listen(state: ApiState, control: ControlCall, port = 0): Promise<Server> {
  let origin = ""
  const server = Http.createServer((request, response) => {
    handle(state, control, origin, request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy()
      plain(
        response,
        500,
        `The fake Linear failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
      )
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  // A server that listens on a port has an address of this kind.
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    disconnect: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

async function handle(
  state: ApiState,
  control: ControlCall,
  origin: string,
  request: Http.IncomingMessage,
  response: Http.ServerResponse
): Promise<void> {
  const { method = "GET" } = request
  const path = new URL(request.url ?? "/", origin).pathname
  const body = await bodyOf(request)
  if (body === null) return plain(response, 413, "Payload too large")
  const [, area = "", name = ""] = path.split("/")
  if (path === "/graphql") return graphql(state, origin, request, response, body)
  if (area === "control") return controlled(control, method, name, response, body)
  if (area === "uploads" && method === "PUT") return upload(state.board, name, request, response, body)
  if (area === "assets" && method === "GET") return asset(state.board, name, response)
  plain(response, 404, `Nothing at ${path}`)
}

async function graphql(
  state: ApiState,
  origin: string,
  request: Http.IncomingMessage,
  response: Http.ServerResponse,
  body: Buffer
): Promise<void> {
  if (request.method !== "POST") return plain(response, 405, "POST only")
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : []))
  )
  const { id, reply } = await respond(state, { headers, body: body.toString(), origin })
  response.once("close", () => {
    if (!response.writableFinished && reply.delivery !== "resetBeforeHeaders" && reply.delivery !== "resetInBody") {
      state.log.amend(id, { abandoned: true })
    }
  })
  if (reply.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, reply.delayMs).unref())
  deliver(response, reply)
}

function deliver(response: Http.ServerResponse, reply: Reply): void {
  const { body, contentType, delivery, status } = reply
  if (delivery === "hangBeforeHeaders") return
  if (delivery === "resetBeforeHeaders") return reset(response)
  const headers = Object.entries(reply.headers).flatMap(([name, value]) =>
    value === null ? [] : [[name, value] as const]
  )
  response.writeHead(status, {
    ...Object.fromEntries(headers),
    "content-type": contentType,
    "content-length": Buffer.byteLength(body)
  })
  if (delivery === "whole") return void response.end(body)
  response.write(body.slice(0, Math.floor(body.length / 2)), () => {
    if (delivery === "resetInBody") reset(response)
  })
}

/** The connection ends as if the machine had gone. */
const reset = (response: Http.ServerResponse): void => {
  response.socket?.resetAndDestroy()
}

function controlled(
  control: ControlCall,
  method: string,
  name: string,
  response: Http.ServerResponse,
  body: Buffer
): void {
  const send = (status: number, value: object) => {
    response.writeHead(status, { "content-type": "application/json" })
    response.end(JSON.stringify(value))
  }
  try {
    const parsed: unknown = body.length === 0 ? {} : JSON.parse(body.toString())
    const args: unknown = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "args") : undefined
    if (method !== "POST") throw new Error('control calls are POST with {"args": [...]}')
    send(200, { result: control(name, Array.isArray(args) ? args : []) ?? null })
  } catch (error) {
    send(400, { error: error instanceof Error ? error.message : String(error) })
  }
}

function upload(
  board: Board.Board,
  id: string,
  request: Http.IncomingMessage,
  response: Http.ServerResponse,
  body: Buffer
): void {
  const wanted = Board.find(board, "Upload", id)
  if (wanted === null) return plain(response, 404, "No such upload")
  const { headers } = request
  if (headers["x-fake-upload"] !== wanted.id) return plain(response, 403, "The headers of the upload are missing")
  if (headers["content-type"] !== wanted.contentType) return plain(response, 403, "Another content type was announced")
  if (body.length !== wanted.size)
    return plain(response, 400, `${wanted.size} bytes were announced, not ${body.length}`)
  Board.replace(board, wanted, { body })
  plain(response, 200, "")
}

function asset(board: Board.Board, id: string, response: Http.ServerResponse): void {
  const found = Board.find(board, "Upload", id)
  if (found === null || found.body === null) return plain(response, 404, "No such file")
  response.writeHead(200, { "content-type": found.contentType })
  response.end(found.body)
}

function plain(response: Http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" })
  response.end(text)
}

/** Null when it is too long. */
async function bodyOf(request: Http.IncomingMessage): Promise<Buffer | null> {
  const chunks: Array<Buffer> = []
  let length = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    length += bytes.length
    if (length > largestBody) return null
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}
