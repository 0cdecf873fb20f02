/**
 * The tracker's answers in a simulated world: late, refused, cut, repeated, out of order, partly unreadable, or from
 * a replica that lags behind. In the calm phase it answers promptly and truly.
 */
import type { IssueId } from "../../domain/Ids.ts"
import type { Issue } from "../../domain/Issue.ts"
import { stateKey } from "../../domain/Issue.ts"
import type { IssueBatch } from "../../ports/TrackerBackend.ts"
import type { Lane, TrackerProblem } from "../../scheduler/Event.ts"
import type { Board } from "./Board.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"
import * as TrackerFaults from "./TrackerFaults.ts"
import type { Truth } from "./Truth.ts"

export interface TrackerModel {
  readonly poll: () => void
  readonly read: (lane: Lane, ids: ReadonlyArray<IssueId>) => void
}

const pollTimeoutMs = 300_000
const readTimeoutMs = 60_000

/** A tracker over this board. */
export const make = (stage: Stage, truth: Truth, board: Board, random: Prng): TrackerModel => {
  const { distort, hangs, latency, look, refusal } = TrackerFaults.make(stage, board, random)

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
    if (hangs()) {
      const slow = { tag: "TrackerTimeout", message: "no answer at all", retryable: true, retryAtWallMs: null }
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
