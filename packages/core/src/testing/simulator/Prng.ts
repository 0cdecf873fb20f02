/**
 * The only source of chance in a simulated world: a seeded generator (sfc32, seeded by splitmix32) that can be split,
 * so that one part of a world that draws more often does not change what another part draws. Plain 32-bit arithmetic:
 * the same numbers on every machine.
 */
export interface Prng {
  /** At least 0 and below 1. */
  readonly next: () => number
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  /** A whole number from `low` to `high`, both included. */
  readonly int: (low: number, high: number) => number
  /** Between the two, each order of magnitude equally likely; both must be above 0. Rounded down. */
  readonly scale: (low: number, high: number) => number
  /** How long until something that happens every `mean` happens next; at least 1. */
  readonly wait: (mean: number) => number
  /** One of these, which must not be none. */
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  /** A generator of its own, different for every label and every call. */
  readonly split: (label: string) => Prng
}

/** FNV-1a over the code units of a label. */
const hash = (label: string): number => {
  let value = 0x811c9dc5
  for (let index = 0; index < label.length; index++) {
    value = Math.imul(value ^ label.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}

const splitmix = (seed: number) => {
  let state = seed | 0
  return (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

const twoTo32 = 4_294_967_296

/** A generator for this seed, any whole number. */
export const make = (seed: number): Prng => {
  const low = splitmix(seed % twoTo32)
  const high = splitmix(Math.floor(seed / twoTo32) ^ 0x5bf03635)
  let a = low() | 0
  let b = high() | 0
  let c = low() | 0
  let counter = 1

  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) uint32()

  const next = (): number => uint32() / twoTo32
  const int = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    chance: (probability) => probability > 0 && next() < probability,
    int,
    scale: (from, to) => Math.floor(from * (to / from) ** next()),
    wait: (mean) => Math.max(1, Math.round(-Math.log(1 - next()) * mean)),
    pick: (values) => values[int(0, values.length - 1)] as (typeof values)[number],
    split: (label) => make(hash(label) * 2_097_152 + (uint32() >>> 11))
  }
}
