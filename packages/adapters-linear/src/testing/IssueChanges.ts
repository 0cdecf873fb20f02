/**
 * What can happen to an issue, with the consequences that Linear draws: instants of its progress, its identifier in another
 * team, labels that stay behind.
 */
import * as Board from "./Board.ts"
import type { Issue, WorkflowState } from "./Entities.ts"
import * as Markdown from "./Markdown.ts"
import { invalidInput, notFound } from "./Refusal.ts"

export interface IssueDraft {
  readonly id?: string | null
  readonly teamId: string
  readonly title: string
  readonly description?: string | null
  readonly priority?: number
  readonly estimate?: number | null
  readonly dueDate?: string | null
  readonly sortOrder?: number
  readonly subIssueSortOrder?: number | null
  readonly stateId?: string | null
  readonly projectId?: string | null
  readonly assigneeId?: string | null
  readonly delegateId?: string | null
  readonly creatorId?: string | null
  readonly parentId?: string | null
  readonly labelIds?: ReadonlyArray<string>
  /** Milliseconds since 1970; now unless told. */
  readonly createdAt?: number
}

/** Every part of an issue that somebody may set. */
export type IssueEdit = Partial<Omit<IssueDraft, "id" | "creatorId" | "createdAt">> & {
  readonly trashed?: boolean | null
}

export function create(board: Board.Board, draft: IssueDraft): Issue {
  const team = required(board, "Team", draft.teamId)
  const state =
    draft.stateId === undefined || draft.stateId === null
      ? defaultState(board, team.id)
      : stateOf(board, draft.stateId, team.id)
  const parentId = checked(board, "Issue", draft.parentId)
  const number = nextNumber(board, team.id)
  return Board.insert<"Issue">(
    board,
    {
      __typename: "Issue",
      number,
      title: draft.title,
      description: draft.description == null ? null : Markdown.normalize(draft.description),
      priority: draft.priority ?? 0,
      estimate: draft.estimate ?? null,
      dueDate: draft.dueDate ?? null,
      sortOrder: draft.sortOrder ?? -number,
      subIssueSortOrder: draft.subIssueSortOrder ?? (parentId === null ? null : number),
      teamId: team.id,
      stateId: state.id,
      projectId: checked(board, "Project", draft.projectId),
      assigneeId: checked(board, "User", draft.assigneeId),
      delegateId: checked(board, "User", draft.delegateId),
      creatorId: draft.creatorId ?? null,
      parentId,
      labelIds: labelsOf(board, draft.labelIds ?? [], team.id),
      previousIdentifiers: [],
      ...progress(board, state, null),
      autoArchivedAt: null,
      trashed: null,
      ...(draft.createdAt === undefined ? {} : { createdAt: draft.createdAt })
    },
    draft.id
  )
}

/** Sets what is given, checks that it exists, and leaves the rest; an edit that changes nothing leaves `updatedAt` alone. */
export function edit(board: Board.Board, issue: Issue, changes: IssueEdit): Issue {
  const { description, stateId, teamId, ...plain } = changes
  const moved = teamId === undefined || teamId === issue.teamId ? issue : inTeam(board, issue, teamId)
  const state = stateId == null ? null : stateOf(board, stateId, moved.teamId)
  const parentId = "parentId" in plain ? checked(board, "Issue", plain.parentId) : issue.parentId
  if (parentId === issue.id) throw invalidInput("An issue cannot be its own parent")
  const next: Issue = {
    ...moved,
    ...defined(plain),
    parentId,
    ...(description === undefined
      ? {}
      : { description: description === null ? null : Markdown.normalize(description) }),
    ...("projectId" in plain ? { projectId: checked(board, "Project", plain.projectId) } : {}),
    ...("assigneeId" in plain ? { assigneeId: checked(board, "User", plain.assigneeId) } : {}),
    ...("delegateId" in plain ? { delegateId: checked(board, "User", plain.delegateId) } : {}),
    ...(plain.labelIds === undefined ? {} : { labelIds: labelsOf(board, plain.labelIds, moved.teamId) }),
    ...(state === null ? {} : { stateId: state.id, ...progress(board, state, issue) })
  }
  return JSON.stringify(next) === JSON.stringify(issue) ? issue : Board.replace(board, issue, withoutStamps(next))
}

export const archive = (board: Board.Board, issue: Issue, how: { readonly automatically?: boolean } = {}): Issue =>
  Board.replace(board, issue, {
    archivedAt: board.now(),
    autoArchivedAt: how.automatically === true ? board.now() : null
  })

export const unarchive = (board: Board.Board, issue: Issue): Issue =>
  Board.replace(board, issue, { archivedAt: null, autoArchivedAt: null, trashed: null })

/** To the trash: archived, and marked so. */
export const trash = (board: Board.Board, issue: Issue): Issue =>
  Board.replace(board, issue, { archivedAt: board.now(), trashed: true })

/** For good, with its comments, attachments and relations; sub-issues lose their parent. */
export function destroy(board: Board.Board, issue: Issue): void {
  const about = [
    ...Board.list(board, "Comment").filter(({ issueId }) => issueId === issue.id),
    ...Board.list(board, "Attachment").filter(({ issueId }) => issueId === issue.id),
    ...Board.list(board, "IssueRelation").filter((it) => [it.issueId, it.relatedIssueId].includes(issue.id))
  ]
  for (const entity of about) Board.remove(board, entity)
  for (const child of Board.list(board, "Issue").filter(({ parentId }) => parentId === issue.id)) {
    Board.replace(board, child, { parentId: null })
  }
  Board.remove(board, issue)
}

/** Makes one blocked, duplicate or related issue; the same relation twice is one. */
export function relate(
  board: Board.Board,
  relation: {
    readonly type: string
    readonly issueId: string
    readonly relatedIssueId: string
    readonly id?: string | null
  }
) {
  const { id, issueId, relatedIssueId, type } = relation
  if (issueId === relatedIssueId) throw invalidInput("An issue cannot be related to itself")
  const same = Board.list(board, "IssueRelation").find(
    (it) => it.type === type && it.issueId === issueId && it.relatedIssueId === relatedIssueId
  )
  if (same !== undefined && Board.find(board, "IssueRelation", id) === null) return same
  const made = Board.insert<"IssueRelation">(board, { __typename: "IssueRelation", type, issueId, relatedIssueId }, id)
  const source = Board.get(board, "Issue", issueId)
  const duplicate = Board.statesOf(board, source.teamId).find((state) => state.type === "duplicate")
  if (type === "duplicate" && duplicate !== undefined) edit(board, source, { stateId: duplicate.id })
  return made
}

/** A new number; the state of the same name, else of the same type, else the first; no labels of the old team. */
function inTeam(board: Board.Board, issue: Issue, teamId: string): Issue {
  const team = required(board, "Team", teamId)
  const before = Board.get(board, "WorkflowState", issue.stateId)
  const states = Board.statesOf(board, team.id)
  const state =
    states.find(({ name }) => name === before.name) ??
    states.find(({ type }) => type === before.type) ??
    defaultState(board, team.id)
  const project = Board.find(board, "Project", issue.projectId)
  return {
    ...issue,
    teamId: team.id,
    number: nextNumber(board, team.id),
    previousIdentifiers: [...issue.previousIdentifiers, Board.identifier(board, issue)],
    stateId: state.id,
    labelIds: issue.labelIds.filter((id) => [null, team.id].includes(Board.get(board, "IssueLabel", id).teamId)),
    projectId: project?.teamIds.includes(team.id) === true ? project.id : null
  }
}

function progress(board: Board.Board, state: WorkflowState, before: Issue | null) {
  const at = board.now()
  const isCanceled = state.type === "canceled" || state.type === "duplicate"
  const hasStarted = state.type === "started" || state.type === "completed"
  return {
    startedAt: hasStarted ? (before?.startedAt ?? at) : isCanceled ? (before?.startedAt ?? null) : null,
    completedAt: state.type === "completed" ? (before?.completedAt ?? at) : null,
    canceledAt: isCanceled ? (before?.canceledAt ?? at) : null
  }
}

function defaultState(board: Board.Board, teamId: string): WorkflowState {
  const states = Board.statesOf(board, teamId)
  const state = states.find(({ type }) => type === "backlog") ?? states[0]
  if (state === undefined) throw invalidInput("The team has no workflow states")
  return state
}

function stateOf(board: Board.Board, id: string, teamId: string): WorkflowState {
  const state = required(board, "WorkflowState", id)
  if (state.teamId === teamId) return state
  throw invalidInput("Discrepancy between issue state and team: the state does not belong to the team of the issue")
}

/** Each once. A label of another team is refused. */
function labelsOf(board: Board.Board, ids: ReadonlyArray<string>, teamId: string): ReadonlyArray<string> {
  return [...new Set(ids)].map((id) => {
    const label = required(board, "IssueLabel", id)
    if (label.teamId === null || label.teamId === teamId) return label.id
    throw invalidInput("The label does not belong to the team of the issue")
  })
}

/** Numbers are given once: those of issues that moved or are gone do not come back. */
function nextNumber(board: Board.Board, teamId: string): number {
  const number = (board.numbers.get(teamId) ?? 0) + 1
  board.numbers.set(teamId, number)
  return number
}

function required<Name extends "Team" | "WorkflowState" | "IssueLabel">(board: Board.Board, name: Name, id: string) {
  const found = Board.find(board, name, id)
  if (found === null) throw notFound(name)
  return found
}

function checked(board: Board.Board, name: "Issue" | "Project" | "User", reference: string | null | undefined) {
  if (reference === null || reference === undefined) return null
  const found = name === "Issue" ? Board.findIssue(board, reference) : Board.find(board, name, reference)
  if (found === null) throw notFound(name)
  return found.id
}

const defined = <A extends object>(record: A): Partial<A> =>
  // Only keys of the record are kept, so it is a part of it.
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Partial<A>

function withoutStamps({ id: _id, sequence: _sequence, updatedAt: _updatedAt, ...rest }: Issue) {
  return rest
}
