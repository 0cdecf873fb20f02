/**
 * The tracker's answers in a simulated world: late, refused, cut, repeated, out of order, partly unreadable, or from
 * a replica that lags behind. In the calm phase it answers promptly and truly.
 */
import type { IssueId } from "../../domain/Ids.ts"
import type { Issue } from "../../domain/Issue.ts"
import { stateKey } from "../../domain/Issue.ts"
import type { IssueBatch, MalformedRecord } from "../../ports/TrackerBackend.ts"
import type { Lane, TrackerProblem } from "../../scheduler/Event.ts"
import type { Board, Picture } from "./Board.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"
import type { Truth } from "./Truth.ts"

export interface TrackerModel {
  readonly poll: () => void
  readonly read: (lane: Lane, ids: ReadonlyArray<IssueId>) => void
}

const pollTimeoutMs = 300_000
const readTimeoutMs = 60_000
const minute = 60_000

/** A tracker over this board. */
export const make = (stage: Stage, truth: Truth, board: Board, random: Prng): TrackerModel => {
  const odds = stage.profile.tracker
  let outageUntil = 0
  stage.untilCalm(random, odds.outageEveryMs, () => {
    outageUntil = stage.time() + random.wait(odds.outageMs)
  })

  const problem = (tag: string, message: string, retryable: boolean, retryAtWallMs: number | null = null) => ({
    tag,
    message,
    retryable,
    retryAtWallMs
  })

  const rateLimit = (): TrackerProblem => {
    const { wallTime } = stage.at()
    const named = [null, wallTime - minute, wallTime + random.scale(1_000, 10 * minute), wallTime + 600 * minute]
    return problem("TrackerRateLimited", "too many requests", true, random.pick(named))
  }

  /** What goes wrong with a whole request; null when nothing does. */
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

  /** What an honest list becomes on its way. */
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

  const look = (): { readonly picture: Picture; readonly older: Picture } => {
    const older = board.picture(random.int(1, 4))
    return { picture: stage.faulty(random, odds.stale) ? older : board.picture(), older }
  }

  const candidates = (): IssueBatch => {
    const { older, picture } = look()
    const active = stage.policy().activeStates
    const issues: Array<Issue> = []
    for (const issue of picture.values()) if (active.includes(stateKey(issue.state))) issues.push(issue)
    return distort(issues, older)
  }

  const byIds = (ids: ReadonlyArray<IssueId>): IssueBatch => {
    const { older, picture } = look()
    return distort(
      ids.flatMap((id) => picture.get(id) ?? []),
      older
    )
  }

  /** Answers once; what is read is what the board shows at some moment of the request. */
  const request = <A>(
    timeoutMs: number,
    see: () => A,
    answer: (seen: A) => void,
    refuse: (problem: TrackerProblem) => void
  ): void => {
    if (stage.faulty(random, odds.hang)) {
      const slow = problem("TrackerTimeout", "no answer at all", true)
      return stage.planInProcess(timeoutMs, () => refuse(slow))
    }
    const takes = latency()
    const seenAfter = random.int(0, takes)
    stage.planInProcess(seenAfter, () => {
      const refused = refusal()
      const seen = refused === null ? see() : null
      stage.planInProcess(takes - seenAfter, () => (refused === null ? answer(seen as A) : refuse(refused)))
    })
  }

  return {
    poll: () => {
      truth.reads.poll = true
      const { now: startedAt, wallTime: startedAtWall } = stage.at()
      request(
        pollTimeoutMs,
        candidates,
        (batch) => stage.send({ _tag: "CandidatesPolled", batch, startedAt, startedAtWall }),
        (refused) => stage.send({ _tag: "CandidatesFailed", problem: refused })
      )
    },
    read: (lane, ids) => {
      const { now: startedAt } = stage.at()
      truth.reads[lane] = new Set(ids)
      if (lane === "demand") truth.reads.demandAt = startedAt
      request(
        readTimeoutMs,
        () => byIds(ids),
        (batch) => stage.send({ _tag: "IssuesRead", lane, ids, batch, startedAt }),
        (refused) => stage.send({ _tag: "IssuesReadFailed", lane, ids, problem: refused })
      )
    }
  }
}
