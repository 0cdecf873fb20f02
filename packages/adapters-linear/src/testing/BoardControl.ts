/**
 * The hands of people on the board: everything they do in Linear's own application, by the names they know. Issues are
 * referred to by id, identifier or an earlier identifier; teams by key, projects by slug id, users by display name, states and
 * labels by name, or all of them by id. Whatever a name does not find is an error that says so.
 */
import * as Crypto from "node:crypto"
import * as Board from "./Board.ts"
import type {
  Comment,
  Entities,
  EntityName,
  Issue,
  IssueLabel,
  Project,
  Team,
  User,
  WorkflowState
} from "./Entities.ts"
import * as IssueChanges from "./IssueChanges.ts"
import { Refusal } from "./Refusal.ts"

export interface StateDraft {
  readonly name: string
  readonly type: string
  readonly position?: number
}

export interface IssueDraft {
  readonly title: string
  /** The first team unless told. */
  readonly team?: string
  readonly id?: string
  readonly description?: string | null
  readonly priority?: number
  readonly estimate?: number | null
  readonly state?: string
  readonly project?: string | null
  readonly assignee?: string | null
  readonly delegate?: string | null
  readonly creator?: string
  readonly parent?: string | null
  /** Labels that do not exist yet are made, for the workspace. */
  readonly labels?: ReadonlyArray<string>
  readonly blockedBy?: ReadonlyArray<string>
  /** Milliseconds since 1970. */
  readonly createdAt?: number
}

export type IssueEdit = Omit<IssueDraft, "id" | "creator" | "createdAt" | "title" | "blockedBy"> & {
  readonly title?: string
}

/** An issue as people see it. */
export interface IssueView {
  readonly id: string
  readonly identifier: string
  readonly previousIdentifiers: ReadonlyArray<string>
  readonly title: string
  readonly description: string | null
  readonly priority: number
  readonly state: string
  readonly stateType: string
  readonly team: string
  /** The slug id. */
  readonly project: string | null
  readonly labels: ReadonlyArray<string>
  readonly assignee: string | null
  readonly delegate: string | null
  readonly parent: string | null
  readonly blockedBy: ReadonlyArray<string>
  readonly archived: boolean
  readonly trashed: boolean
  readonly createdAt: number
  readonly updatedAt: number
}

export interface BoardControl {
  readonly createUser: (draft: { readonly name: string; readonly app?: boolean; readonly admin?: boolean }) => User
  readonly createTeam: (draft: {
    readonly key: string
    readonly name?: string
    /** Linear's own set unless told. */
    readonly states?: ReadonlyArray<StateDraft>
  }) => Team
  readonly createState: (team: string, state: StateDraft) => WorkflowState
  readonly renameState: (team: string, state: string, name: string) => WorkflowState
  readonly createProject: (draft: {
    readonly name: string
    readonly teams?: ReadonlyArray<string>
    /** Twelve hex digits. */
    readonly slugId?: string
    readonly id?: string
  }) => Project
  readonly archiveProject: (project: string) => Project
  readonly trashProject: (project: string) => Project
  /** Its issues stay, without a project. */
  readonly deleteProject: (project: string) => void
  /** Of one team, or of the workspace. */
  readonly createLabel: (name: string, team?: string) => IssueLabel
  readonly createIssue: (draft: IssueDraft) => IssueView
  readonly createIssues: (drafts: ReadonlyArray<IssueDraft>) => ReadonlyArray<IssueView>
  readonly editIssue: (issue: string, edit: IssueEdit) => IssueView
  readonly moveIssue: (issue: string, state: string) => IssueView
  readonly moveToTeam: (issue: string, team: string) => IssueView
  readonly moveToProject: (issue: string, project: string | null) => IssueView
  readonly addLabel: (issue: string, label: string) => IssueView
  readonly removeLabel: (issue: string, label: string) => IssueView
  /** Exactly these block it from now on. */
  readonly setBlockedBy: (issue: string, blockers: ReadonlyArray<string>) => IssueView
  /** Any type, also one that Linear does not have; `issue` is the source: the one that blocks. */
  readonly relate: (issue: string, type: string, relatedIssue: string) => string
  readonly setParent: (issue: string, parent: string | null) => IssueView
  readonly archiveIssue: (issue: string, automatically?: boolean) => IssueView
  readonly unarchiveIssue: (issue: string) => IssueView
  /** To the trash, from which it can come back. */
  readonly trashIssue: (issue: string) => IssueView
  /** For good. */
  readonly deleteIssue: (issue: string) => void
  readonly addComment: (
    issue: string,
    body: string,
    options?: { readonly user?: string; readonly parent?: string }
  ) => Comment
  readonly editComment: (comment: string, body: string) => Comment
  readonly resolveComment: (comment: string, isResolved?: boolean) => Comment
  readonly deleteComment: (comment: string) => void
  readonly issue: (issue: string) => IssueView
  readonly issues: () => ReadonlyArray<IssueView>
  /** Everything of one kind, as the board keeps it. */
  readonly entities: <Name extends EntityName>(name: Name) => ReadonlyArray<Entities[Name]>
}

/** What a new team has in Linear. */
export const usualStates: ReadonlyArray<StateDraft> = [
  { name: "Backlog", type: "backlog" },
  { name: "Todo", type: "unstarted" },
  { name: "In Progress", type: "started" },
  { name: "In Review", type: "started" },
  { name: "Done", type: "completed" },
  { name: "Canceled", type: "canceled" },
  { name: "Duplicate", type: "duplicate" }
]

/** `viewerId` is whose hands they are where nobody is named. */
export function make(board: Board.Board, viewerId: string): BoardControl {
  const must = <A>(kind: string, reference: string, found: A | null | undefined): A => {
    if (found === null || found === undefined) throw new Error(`the fake Linear has no ${kind} "${reference}"`)
    return found
  }
  const issueOf = (reference: string) => must("issue", reference, Board.findIssue(board, reference))
  const teamOf = (reference: string) => must("team", reference, Board.findTeam(board, reference))
  const userOf = (reference: string) => must("user", reference, Board.findUser(board, reference))
  const projectOf = (reference: string) => must("project", reference, Board.findProject(board, reference))
  const commentOf = (id: string) => must("comment", id, Board.find(board, "Comment", id))
  const stateOf = (team: Team, reference: string) =>
    must(
      `state in the team ${team.key}`,
      reference,
      Board.statesOf(board, team.id).find(({ id, name }) => id === reference || name === reference)
    )
  const createLabel = (name: string, team?: string) =>
    Board.insert<"IssueLabel">(board, {
      __typename: "IssueLabel",
      name,
      color: "#5e6ad2",
      description: null,
      isGroup: false,
      teamId: team === undefined ? null : teamOf(team).id,
      parentId: null
    })
  const labelOf = (reference: string) =>
    Board.list(board, "IssueLabel").find(({ id, name }) => id === reference || name === reference) ??
    createLabel(reference)
  const idOf = <A extends { readonly id: string }>(find: (reference: string) => A, reference: string | null) =>
    reference === null ? null : find(reference).id

  const blockersOf = (issue: Issue) =>
    Board.list(board, "IssueRelation").filter((it) => it.relatedIssueId === issue.id && it.type === "blocks")

  const view = (issue: Issue): IssueView => {
    const state = Board.get(board, "WorkflowState", issue.stateId)
    const parent = Board.find(board, "Issue", issue.parentId)
    return {
      id: issue.id,
      identifier: Board.identifier(board, issue),
      previousIdentifiers: issue.previousIdentifiers,
      title: issue.title,
      description: issue.description,
      priority: issue.priority,
      state: state.name,
      stateType: state.type,
      team: Board.get(board, "Team", issue.teamId).key,
      project: Board.find(board, "Project", issue.projectId)?.slugId ?? null,
      labels: issue.labelIds.map((id) => Board.get(board, "IssueLabel", id).name),
      assignee: Board.find(board, "User", issue.assigneeId)?.displayName ?? null,
      delegate: Board.find(board, "User", issue.delegateId)?.displayName ?? null,
      parent: parent === null ? null : Board.identifier(board, parent),
      blockedBy: blockersOf(issue).map(({ issueId }) => Board.identifier(board, Board.get(board, "Issue", issueId))),
      archived: issue.archivedAt !== null,
      trashed: issue.trashed === true,
      createdAt: issue.createdAt,
      updatedAt: issue.updatedAt
    }
  }

  const partsOf = (edit: IssueEdit, team: Team): IssueChanges.IssueEdit => {
    const { assignee, delegate, labels, parent, project, state, team: _team, ...plain } = edit
    return {
      ...plain,
      ...(state === undefined ? {} : { stateId: stateOf(team, state).id }),
      ...(project === undefined ? {} : { projectId: idOf(projectOf, project) }),
      ...(assignee === undefined ? {} : { assigneeId: idOf(userOf, assignee) }),
      ...(delegate === undefined ? {} : { delegateId: idOf(userOf, delegate) }),
      ...(parent === undefined ? {} : { parentId: idOf(issueOf, parent) }),
      ...(labels === undefined ? {} : { labelIds: labels.map((label) => labelOf(label).id) })
    }
  }
  const edit = (reference: string, changes: IssueEdit): IssueView => {
    const issue = issueOf(reference)
    const team = changes.team === undefined ? Board.get(board, "Team", issue.teamId) : teamOf(changes.team)
    return view(IssueChanges.edit(board, issue, { ...partsOf(changes, team), teamId: team.id }))
  }
  const setBlockedBy = (reference: string, blockers: ReadonlyArray<string>): IssueView => {
    const issue = issueOf(reference)
    const wanted = blockers.map((blocker) => issueOf(blocker).id)
    for (const relation of blockersOf(issue).filter(({ issueId }) => !wanted.includes(issueId))) {
      Board.remove(board, relation)
    }
    for (const issueId of wanted) {
      IssueChanges.relate(board, { type: "blocks", issueId, relatedIssueId: issue.id })
    }
    return view(issue)
  }
  const createIssue = (draft: IssueDraft): IssueView => {
    const { blockedBy = [], createdAt, creator, id, title, ...rest } = draft
    const [first] = Board.list(board, "Team")
    const team = rest.team === undefined ? must("team", "", first) : teamOf(rest.team)
    const issue = IssueChanges.create(board, {
      ...partsOf(rest, team),
      ...(id === undefined ? {} : { id }),
      ...(createdAt === undefined ? {} : { createdAt }),
      title,
      teamId: team.id,
      creatorId: creator === undefined ? viewerId : userOf(creator).id
    })
    return setBlockedBy(issue.id, blockedBy)
  }
  const createState = (team: Team, { name, position, type }: StateDraft) =>
    Board.insert<"WorkflowState">(board, {
      __typename: "WorkflowState",
      name,
      type,
      position: position ?? Board.statesOf(board, team.id).length,
      color: "#bec2c8",
      description: null,
      teamId: team.id
    })

  const control: BoardControl = {
    createUser: ({ admin = false, app = false, name }) => {
      const handle = Board.slugify(name)
      return Board.insert<"User">(board, {
        __typename: "User",
        name,
        displayName: handle,
        email: `${handle}@example.com`,
        active: true,
        admin,
        app
      })
    },
    createTeam: ({ key, name = key, states = usualStates }) => {
      const team = Board.insert<"Team">(board, { __typename: "Team", key: key.toUpperCase(), name, description: null })
      for (const state of states) createState(team, state)
      return team
    },
    createState: (team, state) => createState(teamOf(team), state),
    renameState: (team, state, name) => Board.replace(board, stateOf(teamOf(team), state), { name }),
    createProject: ({ id, name, slugId = Crypto.randomBytes(6).toString("hex"), teams }) =>
      Board.insert<"Project">(
        board,
        {
          __typename: "Project",
          name,
          slugId,
          description: "",
          teamIds: (teams ?? Board.list(board, "Team").map((team) => team.id)).map((team) => teamOf(team).id),
          trashed: null,
          state: "started"
        },
        id
      ),
    archiveProject: (project) => Board.replace(board, projectOf(project), { archivedAt: board.now() }),
    trashProject: (project) => Board.replace(board, projectOf(project), { archivedAt: board.now(), trashed: true }),
    deleteProject: (reference) => {
      const project = projectOf(reference)
      for (const issue of Board.list(board, "Issue").filter(({ projectId }) => projectId === project.id)) {
        IssueChanges.edit(board, issue, { projectId: null })
      }
      Board.remove(board, project)
    },
    createLabel,
    createIssue,
    createIssues: (drafts) => drafts.map(createIssue),
    editIssue: edit,
    moveIssue: (issue, state) => edit(issue, { state }),
    moveToTeam: (issue, team) => edit(issue, { team }),
    moveToProject: (issue, project) => edit(issue, { project }),
    addLabel: (issue, label) => edit(issue, { labels: [...view(issueOf(issue)).labels, label] }),
    removeLabel: (issue, label) => edit(issue, { labels: view(issueOf(issue)).labels.filter((one) => one !== label) }),
    setBlockedBy,
    relate: (issue, type, relatedIssue) =>
      IssueChanges.relate(board, { type, issueId: issueOf(issue).id, relatedIssueId: issueOf(relatedIssue).id }).id,
    setParent: (issue, parent) => edit(issue, { parent }),
    archiveIssue: (issue, automatically = false) =>
      view(IssueChanges.archive(board, issueOf(issue), { automatically })),
    unarchiveIssue: (issue) => view(IssueChanges.unarchive(board, issueOf(issue))),
    trashIssue: (issue) => view(IssueChanges.trash(board, issueOf(issue))),
    deleteIssue: (issue) => IssueChanges.destroy(board, issueOf(issue)),
    addComment: (issue, body, options = {}) =>
      Board.insert<"Comment">(board, {
        __typename: "Comment",
        body,
        issueId: issueOf(issue).id,
        parentId: options.parent === undefined ? null : commentOf(options.parent).id,
        userId: options.user === undefined ? viewerId : userOf(options.user).id,
        editedAt: null,
        resolvedAt: null,
        resolvingUserId: null,
        quotedText: null
      }),
    editComment: (comment, body) => Board.replace(board, commentOf(comment), { body, editedAt: board.now() }),
    resolveComment: (comment, isResolved = true) =>
      Board.replace(board, commentOf(comment), {
        resolvedAt: isResolved ? board.now() : null,
        resolvingUserId: isResolved ? viewerId : null
      }),
    deleteComment: (comment) => Board.remove(board, commentOf(comment)),
    issue: (issue) => view(issueOf(issue)),
    issues: () => Board.list(board, "Issue").map(view),
    entities: (name) => Board.list(board, name)
  }
  return control
}

/** What the message of a refused change says to whoever plays people. */
export const reasonOf = (error: unknown): string =>
  error instanceof Refusal ? error.userPresentableMessage : error instanceof Error ? error.message : String(error)
