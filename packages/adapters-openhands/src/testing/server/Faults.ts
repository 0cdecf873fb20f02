/**
 * What goes wrong on purpose: rules that say where, for whom and how often, kept in one place so that a test can set and
 * clear them while the server runs. Chance comes from a seed, so a run repeats.
 */

/** How often a rule applies, counted over the occasions that fit it. Default: always. */
export interface Occasions {
  /** Only the nth occasion, from 1. */
  readonly nth?: number
  /** Leaves out this many occasions at first. */
  readonly after?: number
  /** At most this many times. */
  readonly times?: number
  /** With this probability, 0..1. */
  readonly probability?: number
}

/** What happens to a request. */
export type RequestEffect =
  /** Answered with an error; the server does nothing. */
  | { readonly type: "status"; readonly status: number; readonly detail?: string; readonly exception?: string }
  /** Carried out, then answered with an error. */
  | { readonly type: "failAfter"; readonly status: number; readonly detail?: string; readonly exception?: string }
  /** Never answered, not carried out. */
  | { readonly type: "hang" }
  /** Carried out, never answered. */
  | { readonly type: "hangAfter" }
  /** The connection is reset; the server does nothing. */
  | { readonly type: "reset" }
  | { readonly type: "delay"; readonly ms: number }
  /** Answered with a text that is no JSON. */
  | { readonly type: "garbage" }

/** What happens to a frame of a socket. */
export type FrameEffect =
  | { readonly type: "drop" }
  | { readonly type: "duplicate" }
  /** Sent after the next frame. */
  | { readonly type: "swap" }
  | { readonly type: "delay"; readonly ms: number }
  /** The connection is cut instead. */
  | { readonly type: "cut" }
  /** Closed with a code instead. */
  | { readonly type: "close"; readonly code: number }
  /** A text that is no JSON goes before it. */
  | { readonly type: "garbage" }
  /** An event of a kind nobody knows goes before it. */
  | { readonly type: "unknown" }
  /** An event of that many bytes goes before it. */
  | { readonly type: "large"; readonly bytes: number }

/** A lasting misbehaviour of a conversation. */
export type Behaviour =
  /** Idle to a reader, yet every run is refused with 409. */
  | "wedged"
  /** An interrupt is answered with success, and the run goes on. */
  | "lostStop"
  /**
   * An interrupt ends the run, and the command itself goes on in the workspace. So it is on the real server with a
   * terminal of type `subprocess`.
   */
  | "deafCommand"
  /** No socket ever gets a full state. */
  | "noFullState"
  /** A conversation that is listed, and shown by `GET`, is missing for every other request and for sockets. */
  | "leaseHeld"
  /** A run that was accepted never starts. */
  | "lostRun"
  /** Runs for ever in the record: nothing runs, and no interrupt helps. */
  | "eternal"

export type Fault = Occasions & { readonly id?: string; readonly conversation?: string } & (
    | {
        readonly on: "request"
        readonly method?: string
        /** Part of the path, or its end after `$`: `"/run$"`. */
        readonly path?: string
        readonly effect: RequestEffect
      }
    | { readonly on: "frame"; readonly kind?: string; readonly key?: string; readonly effect: FrameEffect }
    | { readonly on: "connect"; readonly effect: Extract<FrameEffect, { type: "cut" | "close" }> | RequestEffect }
    | { readonly on: "behaviour"; readonly behaviour: Behaviour }
  )

/** The faults in force. */
export interface Faults {
  readonly add: (fault: Fault) => void
  /** Removes one by id, or all. */
  readonly clear: (id?: string) => void
  readonly list: () => ReadonlyArray<Fault & { readonly applied: number }>
  readonly forRequest: (method: string, path: string, conversation: string | undefined) => RequestEffect | undefined
  readonly forConnect: (conversation: string) => FrameEffect | RequestEffect | undefined
  readonly forFrame: (conversation: string, kind: string, key: string | undefined) => FrameEffect | undefined
  readonly behaves: (conversation: string, behaviour: Behaviour) => boolean
}

/** Faults with the seed of their chance. */
export const make = (seed: number, initial: ReadonlyArray<Fault> = []): Faults => {
  const random = mulberry32(seed)
  let rules = initial.map(counted)

  const applies = (rule: Counted): boolean => {
    rule.seen += 1
    const { fault } = rule
    if (fault.nth !== undefined && rule.seen !== fault.nth) return false
    if (rule.seen <= (fault.after ?? 0)) return false
    if (rule.applied >= (fault.times ?? Number.POSITIVE_INFINITY)) return false
    if (fault.probability !== undefined && random() >= fault.probability) return false
    rule.applied += 1
    return true
  }

  const first = <On extends Fault["on"]>(
    on: On,
    conversation: string | undefined,
    fits: (fault: Of<On>) => boolean
  ) => {
    for (const rule of rules) {
      const { fault } = rule
      if (!isOn(fault, on)) continue
      if (fault.conversation !== undefined && fault.conversation !== conversation) continue
      if (fits(fault) && applies(rule)) return fault
    }
    return undefined
  }

  return {
    add: (fault) => void rules.push(counted(fault)),
    clear: (id) => {
      rules = id === undefined ? [] : rules.filter(({ fault }) => fault.id !== id)
    },
    list: () => rules.map(({ fault, applied }) => ({ ...fault, applied })),
    forRequest: (method, path, conversation) =>
      first(
        "request",
        conversation,
        (fault) => (fault.method === undefined || fault.method === method) && pathFits(fault.path, path)
      )?.effect,
    forConnect: (conversation) => first("connect", conversation, () => true)?.effect,
    forFrame: (conversation, kind, key) =>
      first(
        "frame",
        conversation,
        (fault) => (fault.kind === undefined || fault.kind === kind) && (fault.key === undefined || fault.key === key)
      )?.effect,
    behaves: (conversation, behaviour) =>
      first("behaviour", conversation, (fault) => fault.behaviour === behaviour) !== undefined
  }
}

interface Counted {
  readonly fault: Fault
  seen: number
  applied: number
}

type Of<On extends Fault["on"]> = Extract<Fault, { readonly on: On }>

const counted = (fault: Fault): Counted => ({ fault, seen: 0, applied: 0 })

const isOn = <On extends Fault["on"]>(fault: Fault, on: On): fault is Of<On> => fault.on === on

const pathFits = (wanted: string | undefined, path: string): boolean => {
  if (wanted === undefined) return true
  return wanted.endsWith("$") ? path.endsWith(wanted.slice(0, -1)) : path.includes(wanted)
}

/** A small seeded generator of numbers in [0, 1). */
const mulberry32 = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
