// People at the board while agents work: they move, block, archive, trash, delete, re-team, relabel and edit issues, most
// often those that somebody works on. What they take back they take back after a while; the rest stays. One seed, one
// order of deeds; which issue a deed is about depends on who works on what by then.
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import type { Prng } from "@opensymphony/core/testing/simulator/Prng"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fitness from "./Fitness.ts"

export interface PeopleOptions {
  readonly linear: FakeLinear.FakeLinear
  readonly random: Prng
  /** Ids of the issues that agents work on now. */
  readonly worked: () => ReadonlyArray<string>
  /** Ids of the issues that take more than one run. */
  readonly long: ReadonlySet<string>
  /** Slug id of a project that is not the workflow's. */
  readonly elsewhere: string
}

export interface People {
  /** Does so many things, one every few seconds, and takes back what it meant to. */
  readonly play: (deeds: number) => Effect.Effect<void>
  /** Takes back at once what is still to be taken back. */
  readonly settle: Effect.Effect<void>
  /** Whatever people did, by kind: how often, and how often to an issue that an agent was at work on. */
  readonly deeds: ReadonlyMap<string, { readonly all: number; readonly live: number }>
  /** Issues that are not to be worked on any more, by id: what was done to them. */
  readonly givenUp: ReadonlyMap<string, string>
  /** Issues that have changed their team, by id. */
  readonly reteamed: ReadonlySet<string>
}

/** The mean pause between two deeds. */
const pauseMs = 13_000
/** Every so many deeds an issue that has another run before it changes its team: that run finds it under a new name. */
const teamsTurnEvery = 6
/** For good, of each kind. */
const mostGivenUp = 2

const anotherTeam = "move to another team"
/** What a deed answers that could not be done. */
const undone = "not done"

type Undo = (issue: Fitness.IssueView) => unknown

interface Debt {
  readonly dueMs: number
  readonly undo: () => void
}

export function make({ elsewhere, linear, long, random, worked }: PeopleOptions): People {
  const deeds = new Map<string, { readonly all: number; readonly live: number }>()
  const givenUp = new Map<string, string>()
  const reteamed = new Set<string>()
  const debts = new Set<Debt>()
  const project = linear.project.slugId

  const find = (id: string) => linear.issues().find((issue) => issue.id === id)
  /** Nothing waits for it, so that it can be given up without anything else. */
  const isLeaf = ({ identifier, parent }: Fitness.IssueView) =>
    parent === null &&
    linear.issues().every((other) => other.parent !== identifier && !other.blockedBy.includes(identifier))
  /** The first ones that nothing depends on are given up; the others come back. */
  const unlessGivenUp = (kind: string, issue: Fitness.IssueView, undo: Undo): Undo | null => {
    const before = [...givenUp.values()].filter((other) => other === kind).length
    if (before >= mostGivenUp || !isLeaf(issue)) return undo
    givenUp.set(issue.id, kind)
    return null
  }
  const identifiers = (ids: ReadonlyArray<string>) => ids.flatMap((id) => find(id)?.identifier ?? [])

  /** Each does it, and gives what takes it back: null when it stays. */
  const kinds: { readonly [kind: string]: (issue: Fitness.IssueView) => Undo | typeof undone | null } = {
    "move to In Review": ({ id }) => {
      linear.moveIssue(id, "In Review")
      return ({ state }) => state === "In Review" && linear.moveIssue(id, "Todo")
    },
    block: ({ blockedBy, id }) => {
      const others = linear.issues().filter((other) => other.id !== id && !Fitness.isClosed(other))
      if (others.length === 0) return undone
      const blocker = random.pick(others)
      if (blockedBy.includes(blocker.identifier)) return undone
      linear.setBlockedBy(id, [...blockedBy, blocker.identifier])
      return (issue) => {
        const [name] = identifiers([blocker.id])
        linear.setBlockedBy(
          id,
          issue.blockedBy.filter((identifier) => identifier !== name)
        )
      }
    },
    archive: (issue) => {
      linear.archiveIssue(issue.id)
      return unlessGivenUp("archive", issue, () => linear.unarchiveIssue(issue.id))
    },
    delete: (issue) => {
      linear.trashIssue(issue.id)
      return unlessGivenUp("delete", issue, () => linear.unarchiveIssue(issue.id))
    },
    "delete for good": (issue) => {
      if (unlessGivenUp("delete for good", issue, () => undefined) !== null) return undone
      linear.deleteIssue(issue.id)
      return null
    },
    "move to another project": (issue) => {
      linear.moveToProject(issue.id, elsewhere)
      return unlessGivenUp("move to another project", issue, () => linear.moveToProject(issue.id, project))
    },
    [anotherTeam]: ({ id, team }) => {
      linear.moveToTeam(id, team === "ENG" ? "OPS" : "ENG")
      reteamed.add(id)
      return null
    },
    "take its label": ({ id }) => {
      linear.removeLabel(id, Fitness.requiredLabel)
      return () => void linear.addLabel(id, Fitness.requiredLabel)
    },
    "change its priority": ({ id, priority }) => {
      linear.editIssue(id, { priority: (priority + 1) % 5 })
      return null
    },
    "edit its title": ({ id, title }) => {
      linear.editIssue(id, { title: `${title}, said more clearly` })
      return null
    }
  }
  const names = Object.keys(kinds)

  const settle = (debt: Debt) => {
    if (debts.delete(debt)) debt.undo()
  }

  const act = (nowMs: number, isTeamsTurn: boolean) => {
    const untouched = linear
      .issues()
      .filter(({ archived, id, project: its }) => !archived && its === project && !givenUp.has(id))
      .filter((issue) => !Fitness.isClosed(issue))
    const busy = untouched.filter(({ id }) => worked().includes(id))
    const renamed = busy.filter(({ id }) => isTeamsTurn && long.has(id) && !reteamed.has(id))
    const kind = renamed.length > 0 ? anotherTeam : random.pick(names)
    const [pool = untouched] = [renamed, random.chance(0.7) ? busy : untouched].filter(({ length }) => length > 0)
    if (pool.length === 0) return
    const issue = random.pick(pool)
    const undo = kinds[kind]?.(issue) ?? null
    if (undo === undone) return
    const before = deeds.get(kind) ?? { all: 0, live: 0 }
    deeds.set(kind, { all: before.all + 1, live: before.live + (busy.includes(issue) ? 1 : 0) })
    if (undo === null) return
    debts.add({
      dueMs: nowMs + random.int(30_000, 150_000),
      undo: () => {
        const now = find(issue.id)
        if (now !== undefined && !givenUp.has(issue.id)) undo(now)
      }
    })
  }

  return {
    deeds,
    givenUp,
    reteamed,
    play: Effect.fnUntraced(function* (count) {
      for (let done = 0; done < count; done++) {
        yield* Effect.sleep(random.wait(pauseMs))
        const nowMs = yield* Clock.currentTimeMillis
        for (const debt of debts) if (debt.dueMs <= nowMs) settle(debt)
        act(nowMs, done % teamsTurnEvery === 0)
      }
    }),
    settle: Effect.sync(() => {
      for (const debt of debts) settle(debt)
    })
  }
}
