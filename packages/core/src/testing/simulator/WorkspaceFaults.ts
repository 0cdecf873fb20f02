/** What is wrong with the disk of a simulated world: when it is full, and which issues' directories are cursed. */
import type { IssueId } from "../../domain/Ids.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"

export interface WorkspaceFaults {
  readonly preparationFails: (id: IssueId) => boolean
  readonly removalFails: (id: IssueId) => boolean
}

/** Draws from `random` as questions come. */
export const make = (stage: Stage, random: Prng): WorkspaceFaults => {
  const odds = stage.profile.workspace
  const broken = new Map<IssueId, { readonly preparation: boolean; readonly removal: boolean }>()
  let diskFullUntil = 0
  stage.untilCalm(random, odds.diskFullEveryMs, () => {
    diskFullUntil = stage.time() + random.wait(odds.diskFullMs)
  })

  const brokenFor = (id: IssueId) => {
    const known = broken.get(id)
    if (known !== undefined) return known
    const drawn = { preparation: random.chance(odds.broken), removal: random.chance(odds.undeletable) }
    broken.set(id, drawn)
    return drawn
  }
  const isDiskFull = (): boolean => !stage.isCalm() && stage.time() < diskFullUntil

  return {
    preparationFails: (id) =>
      isDiskFull() || (!stage.isCalm() && brokenFor(id).preparation) || stage.faulty(random, odds.failure),
    removalFails: (id) => (!stage.isCalm() && brokenFor(id).removal) || stage.faulty(random, odds.removalFailure)
  }
}
