/** The fields of entities that are more than what the board keeps: references, connections, what is derived. */
import type { LinearDocument } from "@linear/sdk"
import * as Board from "../Board.ts"
import type {
  Attachment,
  Comment,
  Issue,
  IssueLabel,
  IssueRelation,
  Organization,
  Project,
  Team,
  User,
  WorkflowState
} from "../Entities.ts"
import * as Filters from "../Filters.ts"
import { Unimplemented } from "../Refusal.ts"
import { connection, type ConnectionArguments, type RequestContext, type Resolvers, unset } from "./Resolver.ts"

type Context = RequestContext

const issues = (which: (issue: Issue, owner: { readonly id: string }) => boolean) => {
  return (owner: { readonly id: string }, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "Issue").filter((issue) => which(issue, owner)),
      args,
      context,
      { filter: Filters.issue }
    )
}

const workspaceUrl = ({ board }: Context): string => `https://linear.app/${board.organization.urlKey}`

const issueUrl = (issue: Issue, context: Context): string =>
  `${workspaceUrl(context)}/issue/${Board.identifier(context.board, issue)}/${Board.slugify(issue.title)}`

const priorityLabels = ["No priority", "Urgent", "High", "Medium", "Low"]

const relations = (side: "issueId" | "relatedIssueId") => {
  return (issue: Issue, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "IssueRelation").filter((relation) => relation[side] === issue.id),
      args,
      context
    )
}

const issue = {
  identifier: (it: Issue, _: unknown, { board }: Context) => Board.identifier(board, it),
  url: (it: Issue, _: unknown, context: Context) => issueUrl(it, context),
  branchName: (it: Issue, _: unknown, context: Context) => {
    const viewer = Board.get(context.board, "User", context.viewerId)
    const identifier = Board.identifier(context.board, it).toLowerCase()
    return `${Board.slugify(viewer.displayName)}/${identifier}-${Board.slugify(it.title)}`
  },
  priorityLabel: (it: Issue) => priorityLabels[it.priority] ?? "No priority",
  prioritySortOrder: (it: Issue) => it.sortOrder,
  boardOrder: (it: Issue) => it.sortOrder,
  team: (it: Issue, _: unknown, { board }: Context) => Board.get(board, "Team", it.teamId),
  state: (it: Issue, _: unknown, { board }: Context) => Board.get(board, "WorkflowState", it.stateId),
  project: (it: Issue, _: unknown, { board }: Context) => Board.find(board, "Project", it.projectId),
  assignee: (it: Issue, _: unknown, { board }: Context) => Board.find(board, "User", it.assigneeId),
  delegate: (it: Issue, _: unknown, { board }: Context) => Board.find(board, "User", it.delegateId),
  creator: (it: Issue, _: unknown, { board }: Context) => Board.find(board, "User", it.creatorId),
  parent: (it: Issue, _: unknown, { board }: Context) => Board.find(board, "Issue", it.parentId),
  children: issues((child, { id }) => child.parentId === id),
  labels: (it: Issue, args: ConnectionArguments, context: Context) =>
    connection(
      it.labelIds.map((id) => Board.get(context.board, "IssueLabel", id)),
      args,
      context,
      { filter: Filters.issueLabel }
    ),
  relations: relations("issueId"),
  inverseRelations: relations("relatedIssueId"),
  comments: (it: Issue, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "Comment").filter(({ issueId }) => issueId === it.id),
      args,
      context,
      { filter: Filters.comment }
    ),
  attachments: (it: Issue, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "Attachment").filter(({ issueId }) => issueId === it.id),
      args,
      context,
      { filter: Filters.attachment }
    ),
  customerTicketCount: () => 0,
  inheritsSharedAccess: () => false,
  reactionData: () => ({}),
  reactions: () => [],
  ...unset(
    "activitySummary",
    "addedToCycleAt",
    "addedToProjectAt",
    "addedToTeamAt",
    "aiAnalysis",
    "asksExternalUserRequester",
    "asksRequester",
    "autoClosedAt",
    "botActor",
    "cycle",
    "externalUserCreator",
    "favorite",
    "integrationSourceType",
    "lastAppliedTemplate",
    "projectMilestone",
    "recurringIssueTemplate",
    "slaBreachesAt",
    "slaHighRiskAt",
    "slaMediumRiskAt",
    "slaStartedAt",
    "slaType",
    "snoozedBy",
    "snoozedUntilAt",
    "sourceComment",
    "startedTriageAt",
    "suggestionsGeneratedAt",
    "syncedWith",
    "triagedAt",
    "trusted"
  )
}

const comment = {
  url: (it: Comment, _: unknown, context: Context) =>
    `${issueUrl(Board.get(context.board, "Issue", it.issueId), context)}#comment-${it.id.slice(0, 8)}`,
  issue: (it: Comment, _: unknown, { board }: Context) => Board.get(board, "Issue", it.issueId),
  user: (it: Comment, _: unknown, { board }: Context) => Board.find(board, "User", it.userId),
  parent: (it: Comment, _: unknown, { board }: Context) => Board.find(board, "Comment", it.parentId),
  resolvingUser: (it: Comment, _: unknown, { board }: Context) => Board.find(board, "User", it.resolvingUserId),
  children: (it: Comment, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "Comment").filter(({ parentId }) => parentId === it.id),
      args,
      context,
      { filter: Filters.comment }
    ),
  reactionData: () => ({}),
  reactions: () => [],
  hideInLinear: () => false,
  isArtificialAgentSessionRoot: () => false,
  ...unset(
    "agentSession",
    "botActor",
    "externalThread",
    "externalUser",
    "onBehalfOf",
    "project",
    "projectId",
    "resolvingComment",
    "resolvingCommentId",
    "syncedWith"
  )
}

const attachment = {
  issue: (it: Attachment, _: unknown, { board }: Context) => Board.get(board, "Issue", it.issueId),
  creator: (it: Attachment, _: unknown, { board }: Context) => Board.find(board, "User", it.creatorId),
  ...unset("bodyData", "externalUserCreator", "originalIssue", "source")
}

const relation = {
  issue: (it: IssueRelation, _: unknown, { board }: Context) => Board.get(board, "Issue", it.issueId),
  relatedIssue: (it: IssueRelation, _: unknown, { board }: Context) => Board.get(board, "Issue", it.relatedIssueId)
}

const label = {
  team: (it: IssueLabel, _: unknown, { board }: Context) => Board.find(board, "Team", it.teamId),
  parent: (it: IssueLabel, _: unknown, { board }: Context) => Board.find(board, "IssueLabel", it.parentId),
  organization: (_: IssueLabel, __: unknown, { board }: Context) => board.organization,
  issues: issues(({ labelIds }, { id }) => labelIds.includes(id)),
  children: (it: IssueLabel, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "IssueLabel").filter(({ parentId }) => parentId === it.id),
      args,
      context,
      { filter: Filters.issueLabel }
    ),
  ...unset("creator", "groupType", "inheritedFrom", "lastAppliedAt", "retiredAt", "retiredBy")
}

const state = {
  team: (it: WorkflowState, _: unknown, { board }: Context) => Board.get(board, "Team", it.teamId),
  issues: issues(({ stateId }, { id }) => stateId === id),
  ...unset("inheritedFrom")
}

const team = {
  displayName: (it: Team) => it.name,
  organization: (_: Team, __: unknown, { board }: Context) => board.organization,
  private: () => false,
  issueCount: (it: Team, args: LinearDocument.TeamIssueCountArgs, { board }: Context) => {
    if (args.includeArchived === true) throw new Unimplemented("Team.issueCount: includeArchived")
    return Board.list(board, "Issue").filter(({ archivedAt, teamId }) => teamId === it.id && archivedAt === null).length
  },
  states: (it: Team, args: ConnectionArguments, context: Context) =>
    connection(Board.statesOf(context.board, it.id), args, context, { filter: Filters.workflowState }),
  defaultIssueState: (it: Team, _: unknown, { board }: Context) => {
    const states = Board.statesOf(board, it.id)
    return states.find(({ type }) => type === "backlog") ?? states[0] ?? null
  },
  issues: issues(({ teamId }, { id }) => teamId === id),
  labels: (it: Team, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "IssueLabel").filter(({ teamId }) => teamId === it.id),
      args,
      context,
      { filter: Filters.issueLabel }
    ),
  projects: (it: Team, args: ConnectionArguments, context: Context) =>
    connection(
      Board.list(context.board, "Project").filter(({ teamIds }) => teamIds.includes(it.id)),
      args,
      context,
      { filter: Filters.project }
    ),
  ...unset("activeCycle", "color", "icon", "parent", "retiredAt")
}

const project = {
  url: (it: Project, _: unknown, context: Context) => `${workspaceUrl(context)}/project/${Board.projectSlug(it)}`,
  issues: issues(({ projectId }, { id }) => projectId === id),
  teams: (it: Project, args: ConnectionArguments, context: Context) =>
    connection(
      it.teamIds.map((id) => Board.get(context.board, "Team", id)),
      args,
      context,
      { filter: Filters.team }
    ),
  ...unset("autoArchivedAt", "canceledAt", "completedAt", "content", "creator", "health", "icon", "lead", "startedAt")
}

const user = {
  isMe: (it: User, _: unknown, { viewerId }: Context) => it.id === viewerId,
  isAssignable: (it: User) => it.active,
  isMentionable: (it: User) => it.active,
  guest: () => false,
  owner: (it: User) => it.admin,
  initials: (it: User) => it.name.slice(0, 2).toUpperCase(),
  url: (it: User, _: unknown, context: Context) => `${workspaceUrl(context)}/profiles/${it.displayName}`,
  organization: (_: User, __: unknown, { board }: Context) => board.organization,
  assignedIssues: issues(({ assigneeId }, { id }) => assigneeId === id),
  createdIssues: issues(({ creatorId }, { id }) => creatorId === id),
  delegatedIssues: issues(({ delegateId }, { id }) => delegateId === id),
  teams: (_: User, args: ConnectionArguments, context: Context) =>
    connection(Board.list(context.board, "Team"), args, context, { filter: Filters.team }),
  ...unset("avatarUrl", "description", "lastSeen", "statusEmoji", "statusLabel", "timezone", "title")
}

const organization = {
  userCount: (_: Organization, __: unknown, { board }: Context) => board.tables.User.size,
  teams: (_: Organization, args: ConnectionArguments, context: Context) =>
    connection(Board.list(context.board, "Team"), args, context, { filter: Filters.team }),
  users: (_: Organization, args: ConnectionArguments, context: Context) =>
    connection(Board.list(context.board, "User"), args, context, { filter: Filters.user }),
  labels: (_: Organization, args: ConnectionArguments, context: Context) =>
    connection(Board.list(context.board, "IssueLabel"), args, context, { filter: Filters.issueLabel }),
  ...unset("logoUrl")
}

export const entityResolvers: Resolvers = {
  Issue: issue,
  Comment: comment,
  Attachment: attachment,
  IssueRelation: relation,
  IssueLabel: label,
  WorkflowState: state,
  Team: team,
  Project: project,
  User: user,
  Organization: organization
}
