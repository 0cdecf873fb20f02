/**
 * Linear's filters over the entities of the board. A key that is not implemented here is refused loudly, even when the
 * answer would not depend on it: a filter that is ignored makes a test pass for the wrong reason.
 */
import * as Board from "./Board.ts"
import { matchesBoolean, matchesDate, matchesId, matchesNumber, matchesString } from "./Comparators.ts"
import type {
  Attachment,
  Comment,
  Entity,
  Issue,
  IssueLabel,
  IssueRelation,
  Project,
  Team,
  User,
  WorkflowState
} from "./Entities.ts"
import { Unimplemented } from "./Refusal.ts"

export interface FilterContext {
  readonly board: Board.Board
  /** Who asks: what `isMe` means. */
  readonly viewerId: string
}

/** Judges one entity; null where the entity that another one refers to is not set. */
export type Filter<A> = (entity: A | null, filter: object, context: FilterContext) => boolean

type Keys<A> = Readonly<Record<string, (entity: A | null, operand: object, context: FilterContext) => boolean>>

/**
 * All keys must match, and all are judged, so that none that is unknown hides behind another; `and` and `or` nest; `null` asks
 * whether there is an entity at all.
 */
const filterOf = <A>(name: string, keys: () => Keys<A>): Filter<A> => {
  const judge: Filter<A> = (entity, filter, context) => {
    const judged = Object.entries(filter).map(([key, operand]: [string, unknown]) => {
      if (operand === undefined) return true
      if (key === "null") return (entity === null) === operand
      if (operand === null) throw new Unimplemented(`${name}.${key}: null`)
      if (Array.isArray(operand) && (key === "and" || key === "or")) {
        if (operand.length === 0) throw new Unimplemented(`${name}.${key}: []`)
        const nested = operand.map((one: object) => judge(entity, one, context))
        return key === "and" ? nested.every(Boolean) : nested.some(Boolean)
      }
      const matches = keys()[key]
      if (matches === undefined) throw new Unimplemented(`the filter ${name}.${key}`)
      // The schema has checked that what is not `null`, `and` or `or` is an object.
      return matches(entity, operand as object, context)
    })
    return judged.every(Boolean)
  }
  return judge
}

const text = <A>(read: (entity: A, context: FilterContext) => string | null) => {
  return (entity: A | null, operand: object, context: FilterContext) =>
    matchesString(entity === null ? null : read(entity, context), operand)
}
const number = <A>(read: (entity: A, context: FilterContext) => number | null) => {
  return (entity: A | null, operand: object, context: FilterContext) =>
    matchesNumber(entity === null ? null : read(entity, context), operand)
}
const flag = <A>(read: (entity: A, context: FilterContext) => boolean) => {
  return (entity: A | null, operand: object, context: FilterContext) =>
    matchesBoolean(entity === null ? null : read(entity, context), operand)
}
const date = <A>(read: (entity: A) => number | null) => {
  return (entity: A | null, operand: object, { board }: FilterContext) =>
    matchesDate(entity === null ? null : read(entity), operand, board.now())
}
const id = (entity: Entity | null, operand: object) => matchesId(entity?.id ?? null, operand)
const via = <A, B>(filter: Filter<B>, read: (entity: A, context: FilterContext) => B | null) => {
  return (entity: A | null, operand: object, context: FilterContext) =>
    filter(entity === null ? null : read(entity, context), operand, context)
}

const stamps = {
  createdAt: date<Entity>(({ createdAt }) => createdAt),
  updatedAt: date<Entity>(({ updatedAt }) => updatedAt)
}

/** Every entity, some entity, how many; other keys are those of one entity and mean `some`. */
const collectionOf = <A, B>(
  name: string,
  one: Filter<B>,
  read: (entity: A, context: FilterContext) => ReadonlyArray<B>
) => {
  const judge = (owner: A | null, filter: object, context: FilterContext): boolean => {
    const all = owner === null ? [] : read(owner, context)
    const judged = Object.entries(filter).map(([key, operand]: [string, unknown]) => {
      if (operand === undefined) return true
      if (operand === null || key === "null") throw new Unimplemented(`the filter ${name}.${key}`)
      if (key === "length") return matchesNumber(all.length, operand)
      if (Array.isArray(operand) && (key === "and" || key === "or")) {
        if (operand.length === 0) throw new Unimplemented(`${name}.${key}: []`)
        const nested = operand.map((part: object) => judge(owner, part, context))
        return key === "and" ? nested.every(Boolean) : nested.some(Boolean)
      }
      // Judged once on nothing, so that an unknown key is refused where the collection is empty.
      one(null, key === "some" || key === "every" ? operand : { [key]: operand }, context)
      if (key === "every") return all.every((entity) => one(entity, operand, context))
      const some = key === "some" ? operand : { [key]: operand }
      return all.some((entity) => one(entity, some, context))
    })
    return judged.every(Boolean)
  }
  return judge
}

export const user: Filter<User> = filterOf<User>("UserFilter", () => ({
  id,
  ...stamps,
  name: text(({ name }) => name),
  displayName: text(({ displayName }) => displayName),
  email: text(({ email }) => email),
  active: flag(({ active }) => active),
  admin: flag(({ admin }) => admin),
  app: flag(({ app }) => app),
  isMe: flag((entity, { viewerId }) => entity.id === viewerId)
}))

export const team: Filter<Team> = filterOf<Team>("TeamFilter", () => ({
  id,
  ...stamps,
  key: text(({ key }) => key),
  name: text(({ name }) => name),
  description: text(({ description }) => description)
}))

export const workflowState: Filter<WorkflowState> = filterOf<WorkflowState>("WorkflowStateFilter", () => ({
  id,
  ...stamps,
  name: text(({ name }) => name),
  type: text(({ type }) => type),
  position: number(({ position }) => position),
  description: text(({ description }) => description),
  team: via(team, ({ teamId }, { board }) => Board.find(board, "Team", teamId))
}))

export const project: Filter<Project> = filterOf<Project>("ProjectFilter", () => ({
  ...stamps,
  id: (entity, operand) =>
    matchesId(entity?.id ?? null, operand, {
      alsoIdentifiers: /^[0-9a-f]{12}$/i,
      aliases: entity === null ? [] : [entity.slugId]
    }),
  name: text(({ name }) => name),
  slugId: text(({ slugId }) => slugId),
  state: text(({ state }) => state),
  accessibleTeams: collectionOf<Project, Team>("TeamCollectionFilter", team, ({ teamIds }, { board }) =>
    teamIds.map((teamId) => Board.get(board, "Team", teamId))
  )
}))

export const issueLabel: Filter<IssueLabel> = filterOf<IssueLabel>("IssueLabelFilter", () => ({
  id,
  ...stamps,
  name: text(({ name }) => name),
  isGroup: flag(({ isGroup }) => isGroup),
  team: via(team, ({ teamId }, { board }) => Board.find(board, "Team", teamId)),
  parent: via(issueLabel, ({ parentId }, { board }) => Board.find(board, "IssueLabel", parentId))
}))

const relations = (of: (relation: IssueRelation) => string, type: string) =>
  flag<Issue>((entity, { board }) =>
    Board.list(board, "IssueRelation").some((relation) => relation.type === type && of(relation) === entity.id)
  )

const person = (read: (issue: Issue) => string | null) =>
  via<Issue, User>(user, (entity, { board }) => Board.find(board, "User", read(entity)))

export const issue: Filter<Issue> = filterOf<Issue>("IssueFilter", () => ({
  ...stamps,
  id: (entity, operand, { board }) =>
    matchesId(entity?.id ?? null, operand, {
      alsoIdentifiers: /^[a-z][a-z0-9_]*-\d+$/i,
      aliases: entity === null ? [] : [Board.identifier(board, entity), ...entity.previousIdentifiers]
    }),
  title: text(({ title }) => title),
  description: text(({ description }) => description),
  number: number(({ number }) => number),
  priority: number(({ priority }) => priority),
  estimate: number(({ estimate }) => estimate),
  archivedAt: date(({ archivedAt }) => archivedAt),
  autoArchivedAt: date(({ autoArchivedAt }) => autoArchivedAt),
  startedAt: date(({ startedAt }) => startedAt),
  completedAt: date(({ completedAt }) => completedAt),
  canceledAt: date(({ canceledAt }) => canceledAt),
  assignee: person(({ assigneeId }) => assigneeId),
  delegate: person(({ delegateId }) => delegateId),
  creator: person(({ creatorId }) => creatorId),
  state: via(workflowState, ({ stateId }, { board }) => Board.get(board, "WorkflowState", stateId)),
  team: via(team, ({ teamId }, { board }) => Board.get(board, "Team", teamId)),
  project: via(project, ({ projectId }, { board }) => Board.find(board, "Project", projectId)),
  parent: via(issue, ({ parentId }, { board }) => Board.find(board, "Issue", parentId)),
  labels: collectionOf<Issue, IssueLabel>("IssueLabelCollectionFilter", issueLabel, ({ labelIds }, { board }) =>
    labelIds.map((labelId) => Board.get(board, "IssueLabel", labelId))
  ),
  children: collectionOf<Issue, Issue>("IssueCollectionFilter", issue, (entity, { board }) =>
    Board.list(board, "Issue").filter(({ parentId }) => parentId === entity.id)
  ),
  comments: collectionOf<Issue, Comment>("CommentCollectionFilter", comment, (entity, { board }) =>
    Board.list(board, "Comment").filter(({ issueId }) => issueId === entity.id)
  ),
  hasBlockedByRelations: relations(({ relatedIssueId }) => relatedIssueId, "blocks"),
  hasBlockingRelations: relations(({ issueId }) => issueId, "blocks")
}))

export const comment: Filter<Comment> = filterOf<Comment>("CommentFilter", () => ({
  id,
  ...stamps,
  body: text(({ body }) => body),
  user: via(user, ({ userId }, { board }) => Board.find(board, "User", userId)),
  issue: via(issue, ({ issueId }, { board }) => Board.get(board, "Issue", issueId)),
  parent: via(comment, ({ parentId }, { board }) => Board.find(board, "Comment", parentId))
}))

export const attachment: Filter<Attachment> = filterOf<Attachment>("AttachmentFilter", () => ({
  id,
  ...stamps,
  url: text(({ url }) => url),
  title: text(({ title }) => title),
  subtitle: text(({ subtitle }) => subtitle),
  sourceType: text(({ sourceType }) => sourceType)
}))
