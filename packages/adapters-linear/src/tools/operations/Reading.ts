/** What the tools ask Linear for. */
import * as Schema from "effect/Schema"
import type { LinearDocument } from "@linear/sdk"
import type { LinearOperation } from "../../LinearApi.ts"
import { toolOperation } from "./ToolOperation.ts"

/** So many of anything inside an issue are shown; an issue with more says so. */
export const shownMembers = 50

const nodes = <S extends Schema.Constraint>(node: S) => Schema.Struct({ nodes: Schema.Array(node) })

const State = Schema.Struct({ name: Schema.String, type: Schema.String })
const Id = Schema.Struct({ id: Schema.String })
const Related = Schema.Struct({ identifier: Schema.String, title: Schema.String, state: State })

/** An issue as `get_issue` shows it. */
export const IssueDetails = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  title: Schema.String,
  description: Schema.NullOr(Schema.String),
  url: Schema.String,
  branchName: Schema.NullOr(Schema.String),
  priorityLabel: Schema.String,
  updatedAt: Schema.String,
  archivedAt: Schema.NullOr(Schema.String),
  state: State,
  team: Schema.Struct({ key: Schema.String }),
  project: Schema.NullOr(Schema.Struct({ name: Schema.String })),
  assignee: Schema.NullOr(Schema.Struct({ displayName: Schema.String })),
  parent: Schema.NullOr(Related),
  labels: nodes(Schema.Struct({ name: Schema.String })),
  children: nodes(Related),
  inverseRelations: nodes(Schema.Struct({ type: Schema.String, issue: Schema.NullOr(Related) })),
  attachments: nodes(Schema.Struct({ title: Schema.String, url: Schema.String })),
  comments: nodes(
    Schema.Struct({
      id: Schema.String,
      body: Schema.String,
      createdAt: Schema.String,
      resolvedAt: Schema.NullOr(Schema.String),
      user: Schema.NullOr(Schema.Struct({ displayName: Schema.String }))
    })
  )
})
export type IssueDetails = typeof IssueDetails.Type

const issueDocument = `query ToolIssue($id: String!, $comments: Int!) {
  issue(id: $id) {
    id identifier title description url branchName priorityLabel updatedAt archivedAt
    state { name type }
    team { key }
    project { name }
    assignee { displayName }
    parent { identifier title state { name type } }
    labels(first: ${shownMembers}) { nodes { name } }
    children(first: ${shownMembers}) { nodes { identifier title state { name type } } }
    inverseRelations(first: ${shownMembers}) { nodes { type issue { identifier title state { name type } } } }
    attachments(first: ${shownMembers}) { nodes { title url } }
    comments(first: $comments) { nodes { id body createdAt resolvedAt user { displayName } } }
  }
}`

/** The issue with its newest comments, at least one. */
export const issue = (id: string, comments: number): LinearOperation<{ readonly issue: IssueDetails }> =>
  toolOperation("ToolIssue", issueDocument, { id, comments }, Schema.Struct({ issue: IssueDetails }))

const Located = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  team: Id,
  project: Schema.NullOr(Id)
})
/** Where an issue belongs. */
export type Located = typeof Located.Type

const placeDocument = `query ToolPlace($id: String!) {
  issue(id: $id) { id identifier team { id } project { id } }
}`

export const place = (id: string): LinearOperation<{ readonly issue: Located }> =>
  toolOperation("ToolPlace", placeDocument, { id }, Schema.Struct({ issue: Located }))

const TeamStates = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  state: Schema.Struct({ id: Schema.String, name: Schema.String }),
  project: Schema.NullOr(Id),
  team: Schema.Struct({
    id: Schema.String,
    key: Schema.String,
    states: nodes(
      Schema.Struct({ id: Schema.String, name: Schema.String, type: Schema.String, position: Schema.Number })
    )
  })
})
/** The state that an issue is in, and those that it can be in. */
export type TeamStates = typeof TeamStates.Type

const statesDocument = `query ToolStates($id: String!) {
  issue(id: $id) {
    id identifier
    state { id name }
    project { id }
    team { id key states(first: 100) { nodes { id name type position } } }
  }
}`

export const states = (id: string): LinearOperation<{ readonly issue: TeamStates }> =>
  toolOperation("ToolStates", statesDocument, { id }, Schema.Struct({ issue: TeamStates }))

const BlockerPair = Schema.Struct({
  issue: Schema.Struct({
    ...Located.fields,
    inverseRelations: nodes(Schema.Struct({ type: Schema.String, issue: Schema.NullOr(Id) }))
  }),
  blocker: Schema.Struct({ ...Located.fields, state: State })
})

const blockerDocument = `query ToolBlocker($issue: String!, $blocker: String!) {
  issue: issue(id: $issue) {
    id identifier team { id } project { id }
    inverseRelations(first: 100) { nodes { type issue { id } } }
  }
  blocker: issue(id: $blocker) { id identifier team { id } project { id } state { name type } }
}`

/** An issue with its relations, and the one that is to block it. */
export const blockerPair = (issueId: string, blocker: string): LinearOperation<typeof BlockerPair.Type> =>
  toolOperation("ToolBlocker", blockerDocument, { issue: issueId, blocker }, BlockerPair)

const attachmentsDocument = `query ToolAttachments($id: String!) {
  issue(id: $id) { id attachments(first: 100) { nodes { id url } } }
}`

const Attachments = Schema.Struct({
  issue: Schema.Struct({
    id: Schema.String,
    attachments: nodes(Schema.Struct({ id: Schema.String, url: Schema.String }))
  })
})

export const attachments = (id: string): LinearOperation<typeof Attachments.Type> =>
  toolOperation("ToolAttachments", attachmentsDocument, { id }, Attachments)

const Comment = Schema.Struct({
  id: Schema.String,
  body: Schema.String,
  url: Schema.String,
  updatedAt: Schema.String,
  resolvedAt: Schema.NullOr(Schema.String),
  issue: Schema.NullOr(Id)
})
export type Comment = typeof Comment.Type

const commentFields = "id body url updatedAt resolvedAt issue { id }"

const commentDocument = `query ToolComment($id: String!) { comment(id: $id) { ${commentFields} } }`

export const comment = (id: string): LinearOperation<{ readonly comment: Comment }> =>
  toolOperation("ToolComment", commentDocument, { id }, Schema.Struct({ comment: Comment }))

const ownCommentsDocument = `query ToolOwnComments($filter: CommentFilter!) {
  comments(first: 20, orderBy: updatedAt, filter: $filter) { nodes { ${commentFields} } }
}`

/** The comments of this credential's user that begin a thread and contain one of the texts, newest first. */
export const ownComments = (
  issueId: string,
  texts: ReadonlyArray<string>
): LinearOperation<{ readonly comments: { readonly nodes: ReadonlyArray<Comment> } }> => {
  const filter: LinearDocument.CommentFilter = {
    issue: { id: { eq: issueId } },
    user: { isMe: { eq: true } },
    parent: { null: true },
    or: texts.map((text) => ({ body: { contains: text } }))
  }
  return toolOperation("ToolOwnComments", ownCommentsDocument, { filter }, Schema.Struct({ comments: nodes(Comment) }))
}

const relationDocument = `query ToolRelation($id: String!) {
  issueRelation(id: $id) { id type issue { id } relatedIssue { id } }
}`

const Relation = Schema.Struct({
  issueRelation: Schema.Struct({ id: Schema.String, type: Schema.String, issue: Id, relatedIssue: Id })
})

export const relation = (id: string): LinearOperation<typeof Relation.Type> =>
  toolOperation("ToolRelation", relationDocument, { id }, Relation)

const SubIssue = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  url: Schema.String,
  parent: Schema.NullOr(Id)
})
export type SubIssue = typeof SubIssue.Type

const subIssueDocument = `query ToolSubIssue($id: String!) { issue(id: $id) { id identifier url parent { id } } }`

export const subIssue = (id: string): LinearOperation<{ readonly issue: SubIssue }> =>
  toolOperation("ToolSubIssue", subIssueDocument, { id }, Schema.Struct({ issue: SubIssue }))

/** Every document of this module. */
export const documents: ReadonlyArray<string> = [
  issueDocument,
  placeDocument,
  statesDocument,
  blockerDocument,
  attachmentsDocument,
  commentDocument,
  ownCommentsDocument,
  relationDocument,
  subIssueDocument
]
