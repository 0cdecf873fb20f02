/** What can be asked of the fake at the top of a query. */
import type { LinearDocument } from "@linear/sdk"
import * as Board from "../Board.ts"
import type { Entities, EntityName } from "../Entities.ts"
import * as Filters from "../Filters.ts"
import { notFound } from "../Refusal.ts"
import { connection, type ConnectionArguments, only, type RequestContext, type Resolvers } from "./Resolver.ts"

type Context = RequestContext

interface ById {
  readonly id: string
}

const found = <A>(entity: string, value: A | null): A => {
  if (value === null) throw notFound(entity)
  return value
}

const all = <Name extends EntityName>(name: Name, filter: Filters.Filter<Entities[Name]>) => {
  return (_: unknown, args: ConnectionArguments, context: Context) =>
    connection(Board.list(context.board, name), args, context, { filter })
}

const one = (name: EntityName) => {
  return (_: unknown, { id }: ById, { board }: Context) => found(name, Board.find(board, name, id))
}

export const queryResolvers: Resolvers = {
  Query: {
    viewer: (_, __, { board, viewerId }) => Board.get(board, "User", viewerId),
    organization: (_, __, { board }) => board.organization,
    issues: all("Issue", Filters.issue),
    comments: all("Comment", Filters.comment),
    teams: all("Team", Filters.team),
    projects: all("Project", Filters.project),
    users: all("User", Filters.user),
    workflowStates: all("WorkflowState", Filters.workflowState),
    issueLabels: all("IssueLabel", Filters.issueLabel),
    attachments: all("Attachment", Filters.attachment),
    issue: (_, { id }: ById, { board }) => found("Issue", Board.findIssue(board, id)),
    project: (_, { id }: ById, { board }) => found("Project", Board.findProject(board, id)),
    team: (_, { id }: ById, { board }) => found("Team", Board.findTeam(board, id)),
    user: (_, { id }: ById, { board, viewerId }) =>
      found("User", Board.find(board, "User", id === "me" ? viewerId : id)),
    comment: (_, args: LinearDocument.QueryCommentArgs, { board }) => {
      only(args, ["id"], "Query.comment")
      return found("Comment", Board.find(board, "Comment", args.id))
    },
    workflowState: one("WorkflowState"),
    issueLabel: one("IssueLabel"),
    issueRelation: one("IssueRelation"),
    attachment: one("Attachment"),
    rateLimitStatus: (_, __, { rateLimits, viewerId }) => ({
      identifier: viewerId,
      kind: "apiKey",
      limits: rateLimits()
    })
  }
}
