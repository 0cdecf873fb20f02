/** The times at which the agent runtime of a simulated world is down, or up and good for nothing. */
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"

export interface RuntimeModel {
  readonly isDown: () => boolean
  /** Every turn fails at once. */
  readonly isBroken: () => boolean
}

export const make = (stage: Stage, random: Prng): RuntimeModel => {
  const odds = stage.profile.worker
  let downUntil = 0
  let brokenUntil = 0
  stage.untilCalm(random, odds.brokenEveryMs, () => {
    brokenUntil = stage.time() + random.wait(odds.brokenMs)
  })
  stage.untilCalm(random, odds.downEveryMs, () => {
    const lastsMs = random.wait(odds.downMs)
    downUntil = stage.time() + lastsMs
    // Some runtimes say so themselves; from others a launch that fails is all there is to know.
    if (random.chance(0.5)) return
    stage.send({ _tag: "RuntimeDown", reason: "the agent server does not answer" })
    stage.plan(lastsMs, () => stage.send({ _tag: "RuntimeUp" }))
  })
  return {
    isDown: () => !stage.isCalm() && stage.time() < downUntil,
    isBroken: () => !stage.isCalm() && stage.time() < brokenUntil
  }
}
