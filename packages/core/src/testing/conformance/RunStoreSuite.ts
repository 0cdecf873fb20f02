/** The rules of {@link RunStore} as cases. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Hold } from "../../domain/Hold.ts"
import { IssueId, RunId } from "../../domain/Ids.ts"
import {
  type FleetProjection,
  type IssueProjection,
  JournalRecord,
  noCounters,
  nothingStored,
  type StoredState
} from "../../domain/Journal.ts"
import { Outcome } from "../../domain/Outcome.ts"
import * as Usage from "../../domain/Usage.ts"
import type { RunStoreService, StampedRecord } from "../../ports/RunStore.ts"
import { type ConformanceCase, expectEqual, expectFailure, expectThat, rule } from "./ConformanceCase.ts"

/** A store of its own for one case, empty at first. */
export interface RunStoreScene {
  readonly store: RunStoreService
  /** The store as the next process finds it, without the present one having said goodbye. */
  readonly reopen: Effect.Effect<RunStoreService, unknown>
  /** Lets the next `append` fail when a part of its records is written already. */
  readonly breakNextAppend: Effect.Effect<void, unknown>
}

/** How to make the run store under test. */
export interface RunStoreSubject<R = never> {
  readonly make: Effect.Effect<RunStoreScene, unknown, R | Scope.Scope>
  /** Whether `append` can fail, and `breakNextAppend` does something. */
  readonly canFail: boolean
}

const plain = (id: string, changes: Partial<IssueProjection> = {}): IssueProjection => ({
  issueId: IssueId(id),
  identifier: `A-${id}`,
  counters: noCounters,
  usage: Usage.zero,
  allowanceBase: Usage.zero,
  hold: null,
  retry: null,
  liveRun: null,
  workspace: null,
  ...changes
})

/** As many runs as this, to tell one version of a projection from another. */
const withRuns = (id: string, runs: number): IssueProjection => plain(id, { counters: { ...noCounters, runs } })

const workspace = { issueId: IssueId("full"), identifier: "A-full", key: "A-full", path: "/workspaces/A-full" }

const holds: ReadonlyArray<Hold> = [
  Hold.Failures({ failures: 10, lastReason: 'exit 1:\n"no" – \u{1F4A5}' }),
  Hold.IdleContinuations({ continuations: 5 }),
  Hold.Runs({ runs: 30 }),
  Hold.Tokens({ tokens: 2 ** 40 }),
  Hold.Cost({ costUsd: 12.34 }),
  Hold.Operator({ note: "" }),
  Hold.StopUnconfirmed({ runId: RunId("run-1"), workspace, why: "stalled" }),
  Hold.StopUnconfirmed({ runId: RunId("run-1"), workspace: null, why: "stalled" })
]

const full = plain("full", {
  counters: {
    failures: 1,
    continuations: 2,
    idleContinuations: 3,
    runs: 4,
    usageLimits: 5,
    attempts: 6,
    claims: 7
  },
  usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, costUsd: 0.1 + 0.2 },
  allowanceBase: { inputTokens: 4, outputTokens: 5, cacheReadTokens: 6, costUsd: 0.001 },
  retry: { kind: "failure", dueAtWallMs: 1_900_000_000_123, reason: "broken" },
  liveRun: RunId("run-1"),
  workspace
})

const fleet = (paused: string | null): FleetProjection => ({
  paused,
  usageByDay: [{ day: 20_000, usage: full.usage }]
})

const saved = (projection: IssueProjection) => JournalRecord.IssueSaved({ projection })
const dropped = (id: string) => JournalRecord.IssueDropped({ issueId: IssueId(id) })
const stamped = (...records: ReadonlyArray<JournalRecord>): ReadonlyArray<StampedRecord> =>
  records.map((record, index) => ({ atWallMs: 1_800_000_000_000 + index, record }))

const about = { issueId: IssueId("1"), identifier: "A-1" }
const run = { ...about, runId: RunId("run-1") }
/** Records that tell what happened and save nothing. */
const history: ReadonlyArray<JournalRecord> = [
  JournalRecord.RunClaimed({ ...run, attempt: null }),
  JournalRecord.RunLaunched(run),
  JournalRecord.RunEnded({ ...run, outcome: Outcome.Failed({ reason: "no" }), turns: 1, usage: full.usage }),
  JournalRecord.RetryQueued({ ...about, kind: "failure", delayMs: 10_000, reason: null }),
  JournalRecord.GateClosed({ gate: "tracker", reason: "rate limited" }),
  JournalRecord.TrackerRecovered()
]

/** A store names no order of its issues. */
const ordered = ({ fleet, issues }: StoredState): StoredState => ({
  fleet,
  issues: [...issues].sort((self, that) => (self.issueId < that.issueId ? -1 : 1))
})
const holding = (...issues: ReadonlyArray<IssueProjection>): StoredState => ordered({ issues, fleet: null })

/** The rules of the port to what outlives the process; register each of them. */
export const runStoreSuite = <R = never>(
  subject: RunStoreSubject<R>
): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => {
  const on = (name: string, play: (scene: RunStoreScene) => Effect.Effect<void, unknown, Scope.Scope>) =>
    rule(name, Effect.flatMap(subject.make, play))

  /** What is stored, now and for the next process, which must be the same. */
  const expectStored = Effect.fnUntraced(function* ({ reopen, store }: RunStoreScene, expected: StoredState) {
    yield* expectEqual("what is stored", ordered(yield* store.load), expected)
    yield* expectEqual("what the next process finds", ordered(yield* (yield* reopen).load), expected)
  })

  /** A rule about what is stored after these appends. */
  const keeps = (name: string, appends: ReadonlyArray<ReadonlyArray<JournalRecord>>, expected: StoredState) =>
    on(
      name,
      Effect.fnUntraced(function* (scene) {
        for (const records of appends) yield* scene.store.append(stamped(...records))
        yield* expectStored(scene, expected)
      })
    )

  const allOrNone = on(
    "keeps nothing of an append that fails",
    Effect.fnUntraced(function* (scene) {
      yield* scene.store.append(stamped(saved(withRuns("1", 1))))
      yield* scene.breakNextAppend
      const error = yield* expectFailure(
        "an append that cannot be kept",
        scene.store.append(stamped(saved(withRuns("1", 2)), saved(plain("2")), dropped("1")))
      )
      yield* expectThat("a message that says what happened", error.message.trim() !== "", error.message)
      yield* expectStored(scene, holding(withRuns("1", 1)))
      yield* scene.store.append(stamped(saved(plain("3"))))
      yield* expectStored(scene, holding(withRuns("1", 1), plain("3")))
    })
  )

  return [
    keeps("has nothing to give back at first", [], nothingStored),
    keeps("is not changed by an empty append", [[]], nothingStored),
    keeps("keeps what it is given before append returns", [[saved(plain("1"))]], holding(plain("1"))),
    keeps("keeps every field as it was", [[saved(full)]], holding(full)),
    keeps(
      "keeps every kind of hold",
      [holds.map((hold, index) => saved(plain(String(index), { hold })))],
      holding(...holds.map((hold, index) => plain(String(index), { hold })))
    ),
    keeps(
      "lets the newest projection of an issue win, in one append and over several",
      [[saved(withRuns("1", 1)), saved(withRuns("2", 1)), saved(withRuns("1", 2))], [saved(withRuns("2", 3))]],
      holding(withRuns("1", 2), withRuns("2", 3))
    ),
    keeps(
      "keeps the order of the records within one append",
      [[saved(withRuns("1", 1)), dropped("1"), saved(withRuns("2", 1)), dropped("2"), saved(withRuns("2", 2))]],
      holding(withRuns("2", 2))
    ),
    keeps(
      "forgets an issue that was dropped",
      [[saved(plain("1")), saved(plain("2"))], [dropped("1")]],
      holding(plain("2"))
    ),
    keeps("does not mind the drop of an issue that it never had", [[dropped("1")]], nothingStored),
    keeps(
      "lets the newest projection of the fleet win",
      [
        [JournalRecord.FleetSaved({ projection: fleet("for lunch") })],
        [JournalRecord.FleetSaved({ projection: fleet(null) })]
      ],
      { issues: [], fleet: fleet(null) }
    ),
    keeps("takes history without changing what is stored", [[saved(plain("1"))], history], holding(plain("1"))),
    keeps(
      "keeps many issues",
      [Array.from({ length: 1_000 }, (_, index) => saved(withRuns(String(index), index)))],
      holding(...Array.from({ length: 1_000 }, (_, index) => withRuns(String(index), index)))
    ),
    on(
      "goes on after it was opened again",
      Effect.fnUntraced(function* (scene) {
        yield* scene.store.append(stamped(saved(withRuns("1", 1)), saved(withRuns("2", 1))))
        const later = yield* scene.reopen
        yield* later.append(stamped(saved(withRuns("1", 2))))
        yield* expectEqual("what is stored", ordered(yield* later.load), holding(withRuns("1", 2), withRuns("2", 1)))
      })
    ),
    on(
      "shows nobody a part of an append, and mixes none with another",
      Effect.fnUntraced(function* ({ store }) {
        const versions = Array.from({ length: 20 }, (_, index) => index + 1)
        const write = (runs: number) =>
          Effect.andThen(Effect.yieldNow, store.append(stamped(saved(withRuns("1", runs)), saved(withRuns("2", runs)))))
        const read = Effect.gen(function* () {
          yield* Effect.yieldNow
          const runs = ordered(yield* store.load).issues.map(({ counters }) => counters.runs)
          yield* expectThat("both issues of one append together", runs.length !== 1 && runs[0] === runs[1], runs)
        })
        yield* Effect.all([...versions.map(write), Effect.repeat(read, { times: versions.length })], {
          concurrency: "unbounded"
        })
        yield* read
      })
    ),
    ...(subject.canFail ? [allOrNone] : [])
  ]
}
