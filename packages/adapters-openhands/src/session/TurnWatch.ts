/**
 * What is known of the turn that was handed to the server, and when it counts as over. Pure; told what was received and
 * when, by our own clock.
 *
 * A conversation outlives its turns, so a status alone proves nothing: it may be that of the turn before. First there
 * must be evidence of this run. And `finished` may be turned back by a stop hook, so the end is what the server sends
 * when the run's task has ended (a `full_state` that is no greeting), or a status over REST that stays.
 */
import type { Status } from "../client/ConversationInfo.ts"
import { type EventBody, isWork, type WireEvent } from "../stream/WireEvent.ts"

export interface Failure {
  readonly code: string
  readonly detail: string
  /** The server's classification, null when it gave none. */
  readonly kind: string | null
}

export interface TurnWatch {
  /** Whether there was evidence that this run began. */
  readonly began: boolean
  /** The status that ended the run, null while it goes on as far as known. */
  readonly ended: Status | null
  /** Why the run broke. */
  readonly failure: Failure | null
  /** What the agent said last. */
  readonly reply: string | null
  /** A status over REST, or in a greeting, that waits to be confirmed. */
  readonly candidate: { readonly status: Status; readonly sinceMs: number } | null
  readonly lastEventAtMs: number
}

/** A run that was asked for now. */
export const begin = (nowMs: number): TurnWatch => ({
  began: false,
  ended: null,
  failure: null,
  reply: null,
  candidate: null,
  lastEventAtMs: nowMs
})

const observe = (self: TurnWatch, status: Status, nowMs: number): TurnWatch => {
  if (status === "running") return { ...self, began: true, candidate: null }
  if (!self.began) return self
  if (self.candidate?.status === status) return self
  return { ...self, candidate: { status, sinceMs: nowMs } }
}

/** Takes a status that was read over REST. */
export const onRead = (self: TurnWatch, status: Status, nowMs: number): TurnWatch =>
  self.ended === null ? observe(self, status, nowMs) : self

/** The closing frame may overtake what was said before it. */
const late = (self: TurnWatch, body: EventBody): TurnWatch => {
  if (body._tag === "Failed" && self.failure === null) {
    return { ...self, failure: { code: body.code, detail: body.detail, kind: body.failure } }
  }
  return body._tag === "Finished" ? { ...self, reply: body.text } : self
}

/** Takes an event. `greeting`: it is the state that a new connection begins with. */
export const onEvent = (
  self: TurnWatch,
  { body, ...event }: WireEvent,
  greeting: boolean,
  nowMs: number
): TurnWatch => {
  if (self.ended !== null) return late(self, body)
  const heard: TurnWatch = { ...self, lastEventAtMs: nowMs }
  switch (body._tag) {
    case "Snapshot":
      if (greeting || body.status === "running" || !self.began) return observe(heard, body.status, nowMs)
      return body.status === "unknown" ? heard : { ...heard, ended: body.status }
    case "StatusChanged":
      return observe(heard, body.status, nowMs)
    case "AgentMessage":
    case "Finished":
      return { ...heard, began: true, candidate: null, reply: body.text }
    case "Failed":
      return { ...heard, began: true, failure: { code: body.code, detail: body.detail, kind: body.failure } }
    default:
      return isWork({ ...event, body }) ? { ...heard, began: true, candidate: null } : heard
  }
}

/** How long a candidate must stay. */
export interface Patience {
  readonly settleMs: number
  /** For `finished`, where stop hooks may turn it back. */
  readonly finishedSettleMs: number
}

/** The turn at this time: a candidate that stayed, with nothing heard since, is its end. */
export const settle = (self: TurnWatch, nowMs: number, patience: Patience): TurnWatch => {
  if (self.ended !== null || self.candidate === null || self.candidate.status === "unknown") return self
  const { sinceMs, status } = self.candidate
  const neededMs = status === "finished" ? patience.finishedSettleMs : patience.settleMs
  return nowMs - Math.max(sinceMs, self.lastEventAtMs) >= neededMs ? { ...self, ended: status } : self
}
