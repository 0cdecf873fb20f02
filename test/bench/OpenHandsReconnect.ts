// What two hundred conversations do to their agent-server when all of their connections end at the same moment, as the
// server sees it: whether they come back one by one or all together, and how often they ask.
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import * as Fleet from "./OpenHandsFleet.ts"
import * as Frames from "./OpenHandsFrames.ts"
import type { Arrival } from "./OpenHandsServer.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const conversations = 200
const cutCount = 3
/** Enough for the row of delays to begin anew. */
const steadySeconds = 32
const downSeconds = 12
/** Each agent says something meanwhile, so that there is something to catch up with. */
const perSecond = 3
/** All connections within it would be a storm. */
const narrowMs = 100

/** The most arrivals within any span of this length. */
const peak = (instants: ReadonlyArray<number>, spanMs: number): number => {
  const sorted = instants.toSorted((self, that) => self - that)
  let most = 0
  let first = 0
  sorted.forEach((at, index) => {
    while (at - (sorted[first] ?? at) >= spanMs) first++
    most = Math.max(most, index - first + 1)
  })
  return most
}

const conversationIn = (url: string): string => /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/.exec(url)?.[0] ?? ""

/** When each conversation was attached again: its first search for events that was answered after it had a socket. */
const attachedAt = (arrivals: ReadonlyArray<Arrival>): ReadonlyArray<number> => {
  const connected = new Map<string, number>()
  const attached = new Map<string, number>()
  for (const arrival of arrivals.toSorted((self, that) => self.at - that.at)) {
    const id = conversationIn(arrival.url)
    if (id === "") continue
    if (arrival.what === "connect") {
      connected.set(id, arrival.at)
      attached.delete(id)
    } else if (connected.has(id) && !attached.has(id) && arrival.url.includes("/events/search")) {
      attached.set(id, arrival.at + (arrival.answered ?? 0))
    }
  }
  return [...attached.values()]
}

/** How the conversations came back, in milliseconds since the first of them could. */
interface Return {
  readonly connects: ReadonlyArray<number>
  readonly requests: ReadonlyArray<number>
  readonly attached: ReadonlyArray<number>
}

const returned = (arrivals: ReadonlyArray<Arrival>, since: number): Return => {
  const later = arrivals.filter(({ at, url }) => at >= since && conversationIn(url) !== "")
  const instants = (what: Arrival["what"]) => later.filter((it) => it.what === what).map(({ at }) => at - since)
  return {
    connects: instants("connect"),
    requests: instants("request"),
    attached: attachedAt(later).map((at) => at - since)
  }
}

/** When this process tried to open a connection, whatever came of it. */
const attempts: Array<number> = []

const measured = Effect.gen(function* () {
  const { listening, server, start } = yield* Fleet.make({ conversations })
  yield* start
  yield* Effect.sleep(1_000)

  const whileTalking = Effect.fnUntraced(function* (interruption: Effect.Effect<number>) {
    const speaking = yield* Effect.forkChild(server.tell("speak", { perSecond, seconds: 3 }))
    yield* Effect.sleep(500)
    yield* server.tell("arrivals", {})
    const since = yield* interruption
    yield* listening
    yield* Effect.sleep(1_000)
    yield* Fiber.join(speaking)
    return { arrivals: yield* server.tell("arrivals", {}), since }
  })

  const cuts: Array<Return> = []
  for (let count = 0; count < cutCount; count++) {
    const { arrivals, since } = yield* whileTalking(server.tell("cut", {}))
    cuts.push(returned(arrivals, since))
  }

  yield* Effect.sleep(steadySeconds * 1_000)
  attempts.length = 0
  const crashedAt = yield* server.tell("crash", {})
  yield* Effect.sleep(downSeconds * 1_000)
  const tried = attempts.map((at) => at - crashedAt)
  const { arrivals, since } = yield* whileTalking(server.tell("restart", {}))
  const firstAt = Math.min(
    ...arrivals.filter(({ at, url }) => at >= since && conversationIn(url) !== "").map(({ at }) => at)
  )
  return { cuts, tried, noticedMs: firstAt - since, back: returned(arrivals, firstAt) }
})

const milliseconds = (name: string, value: number): Figure => ({ name, value, unit: "ms", target: null })
const count = (name: string, value: number): Figure => ({ name, value, unit: "", target: null })

const figuresOf = (name: string, { attached, connects, requests }: Return): ReadonlyArray<Figure> => {
  const narrow = peak(connects, narrowMs)
  return [
    count(`${name}: sockets opened, a conversation`, connects.length / conversations),
    {
      ...count(`${name}: sockets opened within ${narrowMs} ms, at most`, narrow),
      target: conversations / 2,
      comparison: { with: "all at once", ratio: narrow / conversations }
    },
    count(`${name}: requests, a conversation`, requests.length / conversations),
    count(`${name}: requests within ${narrowMs} ms, at most`, peak(requests, narrowMs)),
    count(`${name}: requests within a second, at most`, peak(requests, 1_000)),
    milliseconds(`${name}: until half are attached again`, Statistics.median(attached)),
    milliseconds(`${name}: until all are attached again`, Math.max(...attached))
  ]
}

/** Requests and sockets in each quarter of a second. */
const course = (name: string, { connects, requests }: Return): ReadonlyArray<Figure> =>
  Array.from({ length: 6 }, (_, index) => {
    const within = [...connects, ...requests].filter((at) => Math.floor(at / 250) === index)
    return count(`${name}: requests and sockets, ${index * 250} to ${(index + 1) * 250} ms`, within.length)
  })

export const measure = async (): Promise<Section> => {
  const attempted = () => void attempts.push(Frames.instant())
  subscribe("net.client.socket", attempted)
  const { back, cuts, noticedMs, tried } = await Effect.runPromise(Effect.scoped(measured)).finally(() =>
    unsubscribe("net.client.socket", attempted)
  )
  const triedBetween = (from: number, to: number) => tried.filter((at) => at >= from * 1_000 && at < to * 1_000).length
  const [first] = cuts
  const last = cuts.at(-1)
  if (first === undefined || last === undefined) throw new Error("nothing was measured")
  return {
    title: "OpenHands: 200 connections lost at once",
    how: `${conversations} running conversations; all sockets cut ${cutCount} times in a row; then the server killed for ${downSeconds} s; requests and sockets as the server sees them, from the cut, or from the first that came after the restart`,
    figures: [
      ...figuresOf("sockets cut", first),
      ...course("sockets cut", first),
      milliseconds(`cut ${cutCount} times in a row: until all are attached again`, Math.max(...last.attached)),
      count("server down: attempts to connect in the first second", triedBetween(0, 1)),
      count("server down: attempts to connect a second, second 1 to 4", triedBetween(1, 4) / 3),
      count(
        `server down: attempts to connect a second, from second 4`,
        triedBetween(4, downSeconds) / (downSeconds - 4)
      ),
      milliseconds("server back: until that is noticed", noticedMs),
      ...figuresOf("server back", back),
      ...course("server back", back)
    ]
  }
}
