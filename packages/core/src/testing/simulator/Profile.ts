/**
 * What kind of world a seed makes: how busy its people are and how often each thing goes wrong. Every fault is drawn
 * on its own (swarm testing): some worlds have none, some have one kind in abundance, some have all at once.
 */
import type { Prng } from "./Prng.ts"

export const kinds = ["calm", "normal", "awful"] as const
/** How many faults a world may have. */
export type ProfileKind = (typeof kinds)[number]

/** Probabilities are per occasion, times are means in milliseconds; 0 is never. */
export interface Profile {
  readonly kind: ProfileKind
  readonly issues: number
  /** How long things go wrong, until the calm phase. */
  readonly faultPhaseMs: number
  readonly people: { readonly everyMs: number; readonly operatorEveryMs: number; readonly policyEveryMs: number }
  readonly tracker: {
    readonly latencyMs: number
    readonly slow: number
    readonly hang: number
    readonly failure: number
    readonly rateLimit: number
    readonly outageEveryMs: number
    readonly outageMs: number
    readonly stale: number
    readonly missing: number
    readonly duplicate: number
    readonly shuffled: number
    readonly malformed: number
  }
  readonly workspace: {
    readonly latencyMs: number
    readonly failure: number
    readonly hang: number
    /** Per issue: every preparation fails, or every removal. */
    readonly broken: number
    readonly undeletable: number
    readonly removalFailure: number
    readonly dirty: number
    readonly lostCancel: number
    readonly diskFullEveryMs: number
    readonly diskFullMs: number
    readonly unknownFingerprint: number
    /** Issues that have a workspace of which no store knows when the world begins. */
    readonly inherited: number
  }
  readonly worker: {
    readonly launchMs: number
    readonly launchFailure: number
    readonly launchHang: number
    readonly unavailable: number
    readonly turnMs: number
    readonly activityMs: number
    readonly turnFailure: number
    readonly hang: number
    readonly flood: number
    readonly usageLimit: number
    /** Turns that change the workspace. */
    readonly progress: number
    /** Turns in which the agent moves its issue on. */
    readonly movesOn: number
    readonly stopUnconfirmed: number
    readonly stopSilent: number
    readonly lostFinish: number
    readonly disorder: number
    readonly replayEveryMs: number
    readonly brokenEveryMs: number
    readonly brokenMs: number
    readonly downEveryMs: number
    readonly downMs: number
    readonly tokensPerTurn: number
  }
  readonly process: {
    readonly deathPerStep: number
    readonly storeOutage: number
    readonly drainEveryMs: number
    readonly pauseEveryMs: number
    readonly wallStepEveryMs: number
    readonly fractionalClock: boolean
    readonly lostRecord: number
  }
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** How likely each fault is to exist at all, and how far its intensity goes. */
const intensity: { readonly [Kind in ProfileKind]: { readonly on: number; readonly most: number } } = {
  calm: { on: 0.12, most: 0.3 },
  normal: { on: 0.45, most: 0.6 },
  awful: { on: 0.9, most: 1 }
}

/** The profile that this generator draws. */
export const draw = (random: Prng, kind: ProfileKind): Profile => {
  const { most, on } = intensity[kind]
  const rate = (highest: number): number => (random.chance(on) ? random.scale(5, 1_000) * 0.001 * highest * most : 0)
  const every = (shortest: number): number => (random.chance(on) ? random.scale(shortest, 20 * shortest) / most : 0)
  return {
    kind,
    issues: random.scale(2, 30),
    faultPhaseMs: random.scale(4 * hour, 72 * hour),
    people: {
      everyMs: random.scale(2 * minute, 40 * minute),
      operatorEveryMs: random.scale(20 * minute, 6 * hour),
      policyEveryMs: every(hour)
    },
    tracker: {
      latencyMs: random.scale(5, 2 * second),
      slow: rate(0.3),
      hang: rate(0.02),
      failure: rate(0.4),
      rateLimit: rate(0.1),
      outageEveryMs: every(hour),
      outageMs: random.scale(minute, hour),
      stale: rate(0.4),
      missing: rate(0.1),
      duplicate: rate(0.3),
      shuffled: rate(1),
      malformed: rate(0.1)
    },
    workspace: {
      latencyMs: random.scale(10, 20 * second),
      failure: rate(0.3),
      hang: rate(0.1),
      broken: rate(0.3),
      undeletable: rate(0.5),
      removalFailure: rate(0.5),
      dirty: rate(0.5),
      lostCancel: rate(0.3),
      diskFullEveryMs: every(2 * hour),
      diskFullMs: random.scale(minute, hour),
      unknownFingerprint: rate(0.3),
      inherited: rate(1)
    },
    worker: {
      launchMs: random.scale(50, 10 * second),
      launchFailure: rate(0.3),
      launchHang: rate(0.1),
      unavailable: rate(0.2),
      turnMs: random.scale(2 * minute, 40 * minute),
      activityMs: random.scale(minute, 10 * minute),
      turnFailure: rate(0.5),
      hang: rate(0.2),
      flood: rate(0.05),
      usageLimit: random.chance(0.1) ? 0.9 * most : rate(0.2),
      progress: random.next() * (random.chance(0.3) ? 0.1 : 1),
      movesOn: random.next() * 0.6,
      stopUnconfirmed: rate(0.6),
      stopSilent: rate(0.2),
      lostFinish: rate(0.5),
      disorder: rate(0.3),
      replayEveryMs: every(10 * minute),
      brokenEveryMs: every(3 * hour),
      brokenMs: random.scale(5 * minute, hour),
      downEveryMs: every(3 * hour),
      downMs: random.scale(minute, hour),
      tokensPerTurn: random.scale(100, 20_000)
    },
    process: {
      deathPerStep: rate(0.005),
      storeOutage: rate(0.01),
      drainEveryMs: every(8 * hour),
      pauseEveryMs: every(3 * hour),
      wallStepEveryMs: every(2 * hour),
      fractionalClock: random.chance(0.5),
      lostRecord: rate(0.2)
    }
  }
}
