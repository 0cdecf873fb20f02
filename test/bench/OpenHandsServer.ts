// A program: a fake agent-server in a process of its own, so that what it costs is not counted. It does what its parent
// tells it, and keeps account of what comes in. Its agents only speak when they are told to.
import { FakeAgentServer } from "@opensymphony/adapters-openhands/testing"
import { subscribe } from "node:diagnostics_channel"
import type { IncomingMessage, Server } from "node:http"
import * as Frames from "./OpenHandsFrames.ts"

/** What came in. `answered` says how long after the server started to work on it. */
export type Arrival =
  | { readonly what: "request"; readonly at: number; readonly url: string; readonly answered: number | null }
  | { readonly what: "connect"; readonly at: number; readonly url: string }

/** What the server can be told. */
export interface Orders {
  /** Every conversation speaks at this rate for so long. Answers when it is over. */
  readonly speak: { readonly perSecond: number; readonly seconds: number }
  /** Every conversation says so many events as quickly as it can. Answers how many it were. */
  readonly burst: { readonly each: number }
  /** How many conversations have a socket that listens. */
  readonly listening: Record<string, never>
  /** Cuts every socket. Answers when. */
  readonly cut: Record<string, never>
  /** Ends as by `kill -9`. Answers when. */
  readonly crash: Record<string, never>
  /** Starts again on the same port. Answers when. */
  readonly restart: Record<string, never>
  /** What came in since it was asked last. */
  readonly arrivals: Record<string, never>
}

export interface Speech {
  readonly events: number
  /** Of each wait of a millisecond, how much later it ended: what the machine does to any process. */
  readonly lateMs: ReadonlyArray<number>
}

export interface Answers {
  readonly speak: Speech
  readonly burst: number
  readonly listening: number
  readonly cut: number
  readonly crash: number
  readonly restart: number
  readonly arrivals: ReadonlyArray<Arrival>
}

export type Order = keyof Orders

let arrivals: Array<Arrival> = []

interface Handled {
  readonly request: IncomingMessage
}

const underWay = new Map<IncomingMessage, { at: number; answered: number | null }>()
subscribe("http.server.request.start", (message) => {
  const { request } = message as Handled
  const arrival = { what: "request" as const, at: Frames.instant(), url: request.url ?? "", answered: null }
  underWay.set(request, arrival)
  arrivals.push(arrival)
})
subscribe("http.server.response.finish", (message) => {
  const { request } = message as Handled
  const arrival = underWay.get(request)
  underWay.delete(request)
  if (arrival !== undefined) arrival.answered = Frames.instant() - arrival.at
})
subscribe("tracing:net.server.listen:asyncEnd", (message) => {
  const { server } = message as { readonly server: Server }
  server.prependListener("upgrade", ({ url = "" }: IncomingMessage) => {
    arrivals.push({ what: "connect", at: Frames.instant(), url })
  })
})

const fake = await FakeAgentServer.start({
  apiKeys: [process.env["SESSION_KEY"] ?? ""],
  scripts: [{ steps: [{ type: "hang" }], repeatLast: true }],
  maxConcurrentRuns: 1_000
})

const nextTurn = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** The conversations, and how much each has said. */
const said = new Map<string, number>()
const conversations = (): ReadonlyArray<string> => fake.conversations().map(({ id }) => id)

const say = (conversation: string): void => {
  const number = said.get(conversation) ?? 0
  said.set(conversation, number + 1)
  fake.emit(conversation, Frames.event(number))
}

/** The conversations take turns, so that what they say is spread evenly over time. */
const speak = async ({ perSecond, seconds }: Orders["speak"]): Promise<Speech> => {
  const speakers = conversations()
  const events = Math.round(speakers.length * perSecond * seconds)
  const lateMs: Array<number> = []
  const begin = Frames.instant()
  for (let count = 0; count < events;) {
    const due = Math.min(events, ((Frames.instant() - begin) / 1_000) * speakers.length * perSecond)
    for (; count < due; count++) say(speakers[count % speakers.length] ?? "")
    const rest = Frames.instant()
    await nextTurn(1)
    lateMs.push(Math.max(0, Frames.instant() - rest - 1))
  }
  return { events, lateMs }
}

const burst = async ({ each }: Orders["burst"]): Promise<number> => {
  const speakers = conversations()
  for (let count = 0; count < each; count++) {
    for (const speaker of speakers) say(speaker)
    if (count % 50 === 49) await nextTurn(0)
  }
  return speakers.length * each
}

const obey: { readonly [name in Order]: (order: Orders[name]) => Promise<Answers[name]> } = {
  speak,
  burst,
  listening: async () => fake.conversations().filter(({ sockets }) => sockets > 0).length,
  cut: async () => {
    const at = Frames.instant()
    fake.cutSockets()
    return at
  },
  crash: async () => {
    const at = Frames.instant()
    await fake.crash()
    return at
  },
  restart: async () => {
    await fake.restart()
    return Frames.instant()
  },
  arrivals: async () => {
    const known = arrivals
    arrivals = []
    return known
  }
}

const tell = (message: unknown): void => void process.send?.(message)

process.on("message", (message) => {
  const { id, name, order } = message as { readonly id: number; readonly name: Order; readonly order: never }
  void obey[name](order).then(
    (answer) => tell({ id, answer }),
    (error: unknown) => tell({ id, error: String(error) })
  )
})
process.on("disconnect", () => process.exit(0))
tell({ url: fake.url })
