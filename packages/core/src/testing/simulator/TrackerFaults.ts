/** What goes wrong with a tracker of a simulated world: when it refuses, how long it takes, what becomes of its answers. */
import type { Issue } from "../../domain/Issue.ts"
import type { IssueBatch, MalformedRecord } from "../../ports/TrackerBackend.ts"
import type { TrackerProblem } from "../../scheduler/Event.ts"
import type { Board, Picture } from "./Board.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"

export interface TrackerFaults {
  /** Whether a request is never answered. */
  readonly hangs: () => boolean
  readonly latency: () => number
  /** What goes wrong with a whole request; null when nothing does. */
  readonly refusal: () => TrackerProblem | null
  /** The board as a request sees it, perhaps as it was a few changes ago; and how it certainly was. */
  readonly look: () => { readonly picture: Picture; readonly older: Picture }
  /** What an honest list becomes on its way. */
  readonly distort: (issues: ReadonlyArray<Issue>, older: Picture) => IssueBatch
}

const minute = 60_000

const problem = (
  tag: string,
  message: string,
  retryable: boolean,
  retryAtWallMs: number | null = null
): TrackerProblem => ({ tag, message, retryable, retryAtWallMs })

/** The faults of a tracker over this board. */
export const make = (stage: Stage, board: Board, random: Prng): TrackerFaults => {
  const odds = stage.profile.tracker
  let outageUntil = 0
  stage.untilCalm(random, odds.outageEveryMs, () => {
    outageUntil = stage.time() + random.wait(odds.outageMs)
  })

  const rateLimit = (): TrackerProblem => {
    const { wallTime } = stage.at()
    const named = [null, wallTime - minute, wallTime + random.scale(1_000, 10 * minute), wallTime + 600 * minute]
    return problem("TrackerRateLimited", "too many requests", true, random.pick(named))
  }

  const refusal = (): TrackerProblem | null => {
    if (stage.faulty(random, odds.rateLimit)) return rateLimit()
    if (!stage.isCalm() && stage.time() < outageUntil) {
      return problem("TrackerTransportError", "the tracker cannot be reached", true)
    }
    if (!stage.faulty(random, odds.failure)) return null
    return random.pick([
      problem("TrackerTransportError", "connection reset", true),
      problem("TrackerTimeout", "no answer in time", true),
      problem("TrackerInvalidResponse", "the answer makes no sense", true),
      problem("TrackerAuthError", "the credential is refused", false)
    ])
  }

  const latency = (): number =>
    stage.faulty(random, odds.slow) ? random.scale(1_000, 45_000) : random.wait(odds.latencyMs)

  const malformed = (issue: Issue): MalformedRecord => ({
    source: `board/${issue.identifier}`,
    id: random.chance(0.7) ? issue.id : null,
    identifier: issue.identifier,
    message: "the record cannot be read"
  })

  const distort = (issues: ReadonlyArray<Issue>, older: Picture): IssueBatch => {
    if (stage.isCalm()) return { issues, malformed: [] }
    const result: Array<Issue> = []
    const unreadable: Array<MalformedRecord> = []
    for (const issue of issues) {
      if (odds.missing > 0 && random.chance(odds.missing)) continue
      if (odds.malformed > 0 && random.chance(odds.malformed)) {
        unreadable.push(malformed(issue))
        if (random.chance(0.8)) continue
      }
      result.push(issue)
      if (odds.duplicate > 0 && random.chance(odds.duplicate)) result.push(older.get(issue.id) ?? issue)
    }
    if (random.chance(odds.shuffled)) result.sort(() => random.int(-1, 1))
    return { issues: result, malformed: unreadable }
  }

  const look: TrackerFaults["look"] = () => {
    const older = board.picture(random.int(1, 4))
    return { picture: stage.faulty(random, odds.stale) ? older : board.picture(), older }
  }

  return { hangs: () => stage.faulty(random, odds.hang), latency, refusal, look, distort }
}
