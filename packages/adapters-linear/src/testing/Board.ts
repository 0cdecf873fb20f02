/**
 * The board of the fake Linear: one workspace, in memory. It owns the entities, how they are found, and the announcement of
 * what changed. What people and mutations do to it is in IssueChanges and BoardChanges.
 */
import * as Crypto from "node:crypto"
import type {
  Entities,
  Entity,
  EntityName,
  Issue,
  Organization,
  Project,
  Team,
  User,
  WorkflowState
} from "./Entities.ts"
import { invalidArgument } from "./Refusal.ts"

/** One entity was made, changed or taken away. */
export interface BoardChange {
  readonly action: "create" | "update" | "remove"
  readonly before: Entities[EntityName] | null
  readonly after: Entities[EntityName] | null
}

type Tables = { readonly [Name in EntityName]: Map<string, Entities[Name]> }

export interface Board {
  readonly now: () => number
  readonly tables: Tables
  readonly organization: Organization
  readonly listeners: Set<(change: BoardChange) => void>
  /** Of the last entity that was made. */
  sequence: number
  /** The last number that an issue of a team got, by the id of the team. */
  readonly numbers: Map<string, number>
  /** All of one kind, as long as nothing changes. */
  readonly lists: Map<EntityName, ReadonlyArray<Entities[EntityName]>>
  /** Counts changes; mutations answer with it. */
  lastSyncId: number
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i

export const isUuid = (text: string): boolean => uuidPattern.test(text)

export function make(now: () => number, workspace: { readonly name: string; readonly urlKey: string }): Board {
  const tables: Tables = {
    Organization: new Map(),
    User: new Map(),
    Team: new Map(),
    WorkflowState: new Map(),
    Project: new Map(),
    IssueLabel: new Map(),
    Issue: new Map(),
    IssueRelation: new Map(),
    Comment: new Map(),
    Attachment: new Map(),
    Upload: new Map()
  }
  const at = now()
  const organization: Organization = {
    __typename: "Organization",
    id: Crypto.randomUUID(),
    sequence: 0,
    createdAt: at,
    updatedAt: at,
    archivedAt: null,
    ...workspace
  }
  tables.Organization.set(organization.id, organization)
  return {
    now,
    tables,
    organization,
    listeners: new Set(),
    sequence: 0,
    numbers: new Map(),
    lists: new Map(),
    lastSyncId: 0
  }
}

/** Adds an entity. `id` is the one that a client made; a second one with it is refused. */
export function insert<Name extends EntityName>(
  board: Board,
  draft: Omit<Entities[Name], keyof Entity> & { readonly __typename: Name; readonly createdAt?: number },
  id?: string | null
): Entities[Name] {
  if (id !== undefined && id !== null) {
    if (!isUuid(id)) throw invalidArgument("id must be a UUID")
    if (Object.values(board.tables).some((table) => table.has(id.toLowerCase()))) {
      throw invalidArgument(`id is already in use: ${id}`)
    }
  }
  const at = draft.createdAt ?? board.now()
  const entity = {
    ...draft,
    id: id?.toLowerCase() ?? Crypto.randomUUID(),
    sequence: ++board.sequence,
    createdAt: at,
    updatedAt: at,
    archivedAt: null
    // The parts of an entity are exactly what it has beside its draft; the compiler cannot see that for a generic name.
  } as unknown as Entities[Name]
  board.tables[draft.__typename].set(entity.id, entity)
  board.lists.delete(draft.__typename)
  announce(board, { action: "create", before: null, after: entity })
  return entity
}

/** Changes an entity. `touch: false` leaves `updatedAt` alone, as Linear does where nothing of the entity itself changed. */
export function replace<A extends Entities[EntityName]>(
  board: Board,
  before: A,
  changes: Partial<Omit<A, "id" | "sequence" | "__typename">>,
  touch = true
): A {
  const at = Math.max(board.now(), before.updatedAt + 1)
  const after: A = { ...before, ...(touch ? { updatedAt: at } : {}), ...changes }
  const table: Map<string, Entities[EntityName]> = board.tables[before.__typename]
  table.set(before.id, after)
  board.lists.delete(before.__typename)
  announce(board, { action: "update", before, after })
  return after
}

export function remove(board: Board, entity: Entities[EntityName]): void {
  if (!board.tables[entity.__typename].delete(entity.id)) return
  board.lists.delete(entity.__typename)
  announce(board, { action: "remove", before: entity, after: null })
}

function announce(board: Board, change: BoardChange): void {
  board.lastSyncId += 1
  for (const listener of board.listeners) listener(change)
}

export function list<Name extends EntityName>(board: Board, name: Name): ReadonlyArray<Entities[Name]> {
  const known = board.lists.get(name) ?? [...board.tables[name].values()]
  board.lists.set(name, known)
  // Kept under the name of the table that it was made from.
  return known as ReadonlyArray<Entities[Name]>
}

/** The one that must be there because another entity names it. */
export function get<Name extends EntityName>(board: Board, name: Name, id: string): Entities[Name] {
  const entity: Entities[Name] | undefined = board.tables[name].get(id)
  if (entity === undefined) throw new Error(`the board has lost the ${name} ${id}`)
  return entity
}

/** The one with this id, of null or an id that is not there: null. */
export const find = <Name extends EntityName>(
  board: Board,
  name: Name,
  id: string | null | undefined
): Entities[Name] | null => {
  const entity: Entities[Name] | undefined =
    id === null || id === undefined ? undefined : board.tables[name].get(id.toLowerCase())
  return entity ?? null
}

export const identifier = (board: Board, issue: Issue): string =>
  `${get(board, "Team", issue.teamId).key}-${issue.number}`

/** By UUID, identifier or a previous identifier, in any case. */
export function findIssue(board: Board, reference: string): Issue | null {
  if (isUuid(reference)) return find(board, "Issue", reference)
  const wanted = reference.toUpperCase()
  const [, key, digits] = /^(.+)-(\d+)$/.exec(wanted) ?? []
  const team = list(board, "Team").find((one) => one.key === key)
  const issues = list(board, "Issue")
  return (
    issues.find((issue) => issue.number === Number(digits) && issue.teamId === team?.id) ??
    issues.find((issue) => issue.previousIdentifiers.includes(wanted)) ??
    null
  )
}

/** The end of a project's URL: its name and its slug id. */
export const projectSlug = (project: Project): string => {
  const words = slugify(project.name)
  return words === "" ? project.slugId : `${words}-${project.slugId}`
}

/** By UUID, slug id, or the name and the slug id as in the project's URL. */
export function findProject(board: Board, reference: string): Project | null {
  if (isUuid(reference)) return find(board, "Project", reference)
  const wanted = reference.toLowerCase()
  const tail = /^(?:.*-)?([0-9a-f]{12})$/.exec(wanted)?.[1]
  return list(board, "Project").find(({ slugId }) => slugId === wanted || slugId === tail) ?? null
}

/** By UUID or key. */
export const findTeam = (board: Board, reference: string): Team | null =>
  find(board, "Team", reference) ?? list(board, "Team").find(({ key }) => key === reference.toUpperCase()) ?? null

/** By UUID, e-mail address or display name. */
export const findUser = (board: Board, reference: string): User | null =>
  find(board, "User", reference) ??
  list(board, "User").find(({ displayName, email }) => email === reference || displayName === reference) ??
  null

/** In the order of their positions. */
export const statesOf = (board: Board, teamId: string): ReadonlyArray<WorkflowState> =>
  list(board, "WorkflowState")
    .filter((state) => state.teamId === teamId)
    .sort((a, b) => a.position - b.position)

export const slugify = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 50)
