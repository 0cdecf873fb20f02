/**
 * What is really so in a simulated world, whatever the scheduler believes: which runs have a process at work, which
 * answers the world still owes, which workspaces exist. Models write it, checkers read it.
 */
import type { IssueId, RunId } from "../../domain/Ids.ts"
import type { Workspace } from "../../domain/Workspace.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Accident } from "./Accident.ts"

/** The real side of one run. */
export interface Body {
  readonly runId: RunId
  readonly issueId: IssueId
  readonly identifier: string
  /** A process of it may be at work: a hook that prepares its workspace, or its agent. */
  isAlive: boolean
  isLaunched: boolean
  /** Commands about this run that were not answered yet. */
  owed: number
  /** When its worker began to wait for a verdict; null while it does not. */
  askedAt: number | null
  workspace: Workspace | null
}

export interface Room {
  readonly workspace: Workspace
  /** Grows with every change that an agent makes. */
  version: number
}

export interface Truth {
  readonly accidents: Array<Accident>
  readonly bodies: Map<RunId, Body>
  readonly rooms: Map<IssueId, Room>
  /** Removals under way. */
  readonly removals: Set<IssueId>
  /** Reads by ids that were not answered yet, by lane. */
  readonly reads: {
    demand: ReadonlySet<IssueId> | null
    /** When that read began, by the process's monotonic clock. */
    demandAt: number
    refresh: ReadonlySet<IssueId> | null
    poll: boolean
  }
  /** Nothing is carried out until the store works again. */
  isStoreDown: boolean
  /** When the process last went on, after it was suspended or waited for its store, by its monotonic clock. */
  resumedAt: number
  readonly aliveOf: (issueId: IssueId) => ReadonlyArray<Body>
  /** A process of it is at work. */
  readonly begin: (body: Body) => void
  /** No process of it is left. */
  readonly end: (body: Body) => void
  /** A new process begins: what the last one left at work is found and ended, and nobody waits for its answers. */
  readonly restart: () => void
  /** An answer, or what a worker reports, has reached the scheduler. */
  readonly delivered: (event: Event) => void
}

const none: ReadonlyArray<Body> = []

/** A world in which nothing runs. */
export const make = (): Truth => {
  const alive = new Map<IssueId, ReadonlyArray<Body>>()
  const bodies = new Map<RunId, Body>()
  const removals = new Set<IssueId>()
  const reads: Truth["reads"] = { demand: null, demandAt: 0, refresh: null, poll: false }
  const end = (body: Body): void => {
    body.isAlive = false
    body.askedAt = null
    const others = (alive.get(body.issueId) ?? none).filter((other) => other !== body)
    if (others.length === 0) alive.delete(body.issueId)
    else alive.set(body.issueId, others)
  }
  const accidents: Array<Accident> = []
  const truth: Truth = {
    accidents,
    bodies,
    rooms: new Map(),
    removals,
    reads,
    isStoreDown: false,
    resumedAt: Number.NEGATIVE_INFINITY,
    aliveOf: (issueId) => alive.get(issueId) ?? none,
    begin: (body) => {
      bodies.set(body.runId, body)
      body.isAlive = true
      const others = (alive.get(body.issueId) ?? none).filter((other) => other !== body)
      const [other] = others
      if (other !== undefined) {
        const text = `${body.runId} comes to life while ${other.runId} of the same issue is alive`
        accidents.push({ kind: "crowded", text, issueId: body.issueId })
      }
      alive.set(body.issueId, [...others, body])
    },
    end,
    restart: () => {
      for (const list of alive.values()) for (const body of list) end(body)
      for (const body of bodies.values()) body.owed = 0
      removals.clear()
      Object.assign(reads, { demand: null, refresh: null, poll: false })
      truth.isStoreDown = false
      truth.resumedAt = Number.NEGATIVE_INFINITY
    },
    delivered: (event) => {
      switch (event._tag) {
        case "CandidatesPolled":
        case "CandidatesFailed":
          reads.poll = false
          return
        case "IssuesRead":
        case "IssuesReadFailed":
          reads[event.lane] = null
          return
        case "WorkspaceRemoved":
        case "WorkspaceKept":
        case "RemovalFailed":
          removals.delete(event.issueId)
          return
        case "WorkspacePrepared":
        case "PreparationFailed":
        case "RunLaunched":
        case "LaunchFailed":
        case "StopSettled":
        case "RunClosed": {
          const body = bodies.get(event.runId)
          if (body !== undefined && body.owed > 0) body.owed--
        }
      }
    }
  }
  return truth
}

/** A run whose workspace is being prepared. */
export const newBody = (runId: RunId, issueId: IssueId, identifier: string): Body => ({
  runId,
  issueId,
  identifier,
  isAlive: true,
  isLaunched: false,
  owed: 0,
  askedAt: null,
  workspace: null
})
