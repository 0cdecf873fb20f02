// What the answer of a poll costs the scheduler: time inside `transition` alone.
import type { Issue } from "@opensymphony/core/domain/Issue"
import * as Policy from "@opensymphony/core/domain/Policy"
import { Event } from "@opensymphony/core/scheduler/Event"
import { initial, type State } from "@opensymphony/core/scheduler/State"
import { transition } from "@opensymphony/core/scheduler/Transition"
import * as Board from "./Board.ts"
import * as Garbage from "./Garbage.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const sizes = [1_000, 10_000, 100_000]
/** Below this a poll is too short for the clock of processor time. */
const coarseBelow = 100_000
const unchangedTargetMs = 100
const wallAtZero = Date.UTC(2026, 6, 1)

/** Processor time of this thread: unlike the wall clock it does not count what others do on the machine. */
const threadMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** How long the collector works in the background after a collection, with some room. */
const restMs = (size: number): number => 10 + size / 250

interface Absorbed {
  readonly state: State
  readonly ms: number
  readonly processorMs: number
}

const instantAt = (now: number) => ({ now, wallTime: wallAtZero + now })

/** A scheduler that was started and has asked for its first poll. */
const started = (): State => {
  const state = initial({ instance: "bench", policy: { ...Policy.defaults, pollIntervalMs: 30_000 } })
  const event = Event.Started({ stored: { issues: [], fleet: null }, workspaces: [] })
  return transition(state, event, instantAt(0)).state
}

/** Takes in the answer of the poll that began at `now`, and times it. */
const absorb = (state: State, issues: ReadonlyArray<Issue>, now: number): Absorbed => {
  const event = Event.CandidatesPolled({
    batch: { issues, malformed: [] },
    startedAt: now,
    startedAtWall: wallAtZero + now
  })
  Garbage.collectAndRest(restMs(issues.length))
  const processorBegin = threadMs()
  const begin = performance.now()
  const next = transition(state, event, instantAt(now + 200))
  return { state: next.state, ms: performance.now() - begin, processorMs: threadMs() - processorBegin }
}

/** The next poll falls due: everything up to the request for it. */
const nextPoll = (state: State, now: number): State => transition(state, Event.Tick(), instantAt(now)).state

interface Times {
  readonly first: Array<number>
  readonly unchanged: Array<number>
  readonly unchangedOnProcessor: Array<number>
  readonly changed: Array<number>
  /** Of the step that asks for the poll, which looks for issues to start, and of the poll's answer. */
  readonly blocked: Array<number>
  readonly map: Array<number>
}

const noTimes = (): Times => ({ first: [], unchanged: [], unchangedOnProcessor: [], changed: [], blocked: [], map: [] })

/** One pass alone is too short for the clock. */
const passes = 20

/** Goes over a Map of as many entries and looks at each: the least that any answer of that size could cost. */
const passOverMap = (issues: ReadonlyArray<Issue>): number => {
  const map = new Map(issues.map((issue) => [issue.id, issue]))
  Garbage.collectAndRest(restMs(issues.length))
  const begin = performance.now()
  let seen = 0
  for (let pass = 0; pass < passes; pass++) for (const issue of map.values()) if (issue !== undefined) seen++
  const ms = (performance.now() - begin) / passes
  if (seen !== passes * issues.length) throw new Error("the board has repeated ids")
  return ms
}

const repeat = (issues: ReadonlyArray<Issue>, times: Times): void => {
  const first = absorb(started(), Board.reread(issues), 1_000)
  times.first.push(first.ms)
  const unchanged = absorb(nextPoll(first.state, 40_000), Board.reread(issues), 40_000)
  times.unchanged.push(unchanged.ms)
  times.unchangedOnProcessor.push(unchanged.processorMs)
  times.changed.push(absorb(nextPoll(unchanged.state, 80_000), Board.rereadChanged(issues), 80_000).ms)
  const blockedBoard = Board.blocked(issues)
  const blocked = absorb(started(), Board.reread(blockedBoard), 1_000)
  const begin = performance.now()
  const asked = nextPoll(blocked.state, 40_000)
  const askedIn = performance.now() - begin
  times.blocked.push(askedIn + absorb(asked, Board.reread(blockedBoard), 40_000).ms)
  times.map.push(passOverMap(issues))
}

const figures = (size: number): ReadonlyArray<Figure> => {
  const issues = Board.board(size)
  for (let warmUp = 0; warmUp < 2; warmUp++) repeat(issues.slice(0, 1_000), noTimes())
  const times = noTimes()
  const repetitions = size >= 100_000 ? 5 : 11
  for (let repetition = 0; repetition < repetitions; repetition++) repeat(issues, times)
  const map = Statistics.smallest(times.map)
  const figure = (name: string, samples: ReadonlyArray<number>, target: number | null): Figure => {
    const best = Statistics.smallest(samples)
    return {
      name: `${size.toLocaleString("en-US")} candidates, ${name}`,
      value: Statistics.median(samples),
      best,
      unit: "ms",
      target,
      comparison: { with: "a bare pass over a Map", ratio: best / map }
    }
  }
  return [
    figure("first poll", times.first, null),
    figure("unchanged", times.unchanged, unchangedTargetMs),
    ...(size < coarseBelow ? [] : [figure("unchanged, processor time", times.unchangedOnProcessor, unchangedTargetMs)]),
    figure("1 % changed", times.changed, null),
    figure("all blocked, all slots free, with the look at each", times.blocked, null)
  ]
}

export const measure = (): Section => ({
  title: "Absorbing a poll",
  how: "scheduler time inside `transition`; every poll brings fresh, equal objects; median of several, and the best",
  figures: sizes.flatMap(figures)
})
