/**
 * The run store of a simulated world's orchestrator: a {@link MemoryRunStore} that outlives its processes, and that is
 * out of order now and then: it refuses, or it does not answer.
 */
import * as Effect from "effect/Effect"
import type { RunId } from "../../../domain/Ids.ts"
import type { JournalRecord } from "../../../domain/Journal.ts"
import type { MemoryRunStore } from "../../../orchestrator/MemoryRunStore.ts"
import { RunStoreError, type RunStoreService } from "../../../ports/RunStore.ts"
import type { Prng } from "../Prng.ts"
import type { Stage } from "../Stage.ts"
import type { Truth } from "../Truth.ts"
import type { Lies } from "./Lies.ts"

export interface LiveStoreOptions {
  readonly stage: Stage
  readonly truth: Truth
  readonly random: Prng
  readonly memory: MemoryRunStore
  /** The runs whose claim is kept. */
  readonly claims: Set<RunId>
  readonly kept: (records: ReadonlyArray<JournalRecord>) => void
  readonly pulse: Effect.Effect<void>
  readonly lies: Lies
}

/** How much likelier it breaks when a claim is to be kept, which matters most and comes seldom. */
const claimsAtRisk = 10

/** The store as one process sees it. */
export const make = (options: LiveStoreOptions): RunStoreService => {
  const { claims, kept, lies, memory, pulse, random, stage, truth } = options
  const odds = stage.profile.process
  let outageUntil = 0

  const refused = Effect.suspend(() =>
    random.chance(0.2) ? Effect.never : Effect.fail(new RunStoreError({ message: "no space left on the device" }))
  )

  return {
    load: Effect.andThen(pulse, memory.load),
    append: (records) =>
      Effect.gen(function* () {
        yield* pulse
        const isClaim = records.some(({ record }) => record._tag === "RunClaimed")
        if (stage.faulty(random, odds.storeOutage * (isClaim ? claimsAtRisk : 1))) {
          outageUntil = stage.time() + random.scale(1_000, 60_000)
        }
        if (!stage.isCalm() && stage.time() < outageUntil) {
          truth.isStoreDown = true
          return yield* refused
        }
        if (lies.storeForgets !== true) yield* memory.append(records)
        for (const { record } of records) if (record._tag === "RunClaimed") claims.add(record.runId)
        kept(records.map(({ record }) => record))
        if (truth.isStoreDown) {
          truth.isStoreDown = false
          truth.resumedAt = stage.at().now
        }
        // It is kept: whoever dies now has only not heard of it.
        yield* pulse
      })
  }
}
