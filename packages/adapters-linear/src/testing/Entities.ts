/**
 * What the board of the fake Linear is made of. Fields are called as in Linear's schema; instants are milliseconds since
 * 1970; what the schema answers with an object is kept as that object's id.
 */

export interface Entity {
  readonly id: string
  /** Counts up over all entities: breaks ties between those made in the same millisecond. */
  readonly sequence: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly archivedAt: number | null
}

export interface Organization extends Entity {
  readonly __typename: "Organization"
  readonly name: string
  readonly urlKey: string
}

export interface User extends Entity {
  readonly __typename: "User"
  readonly name: string
  readonly displayName: string
  readonly email: string
  readonly active: boolean
  readonly admin: boolean
  /** Whether it is an agent: an app user that issues are delegated to. */
  readonly app: boolean
}

export interface Team extends Entity {
  readonly __typename: "Team"
  readonly key: string
  readonly name: string
  readonly description: string | null
}

export interface WorkflowState extends Entity {
  readonly __typename: "WorkflowState"
  readonly name: string
  /** triage, backlog, unstarted, started, completed, canceled, duplicate; a string like in the schema, so anything. */
  readonly type: string
  readonly position: number
  readonly color: string
  readonly description: string | null
  readonly teamId: string
}

export interface Project extends Entity {
  readonly __typename: "Project"
  readonly name: string
  readonly description: string
  /** The twelve hex digits at the end of the project's URL. */
  readonly slugId: string
  readonly teamIds: ReadonlyArray<string>
  readonly trashed: boolean | null
  /** planned, started, paused, completed, canceled. */
  readonly state: string
}

export interface IssueLabel extends Entity {
  readonly __typename: "IssueLabel"
  readonly name: string
  readonly color: string
  readonly description: string | null
  readonly isGroup: boolean
  readonly teamId: string | null
  readonly parentId: string | null
}

export interface Issue extends Entity {
  readonly __typename: "Issue"
  readonly number: number
  readonly title: string
  readonly description: string | null
  readonly priority: number
  readonly estimate: number | null
  readonly dueDate: string | null
  readonly sortOrder: number
  readonly subIssueSortOrder: number | null
  readonly teamId: string
  readonly stateId: string
  readonly projectId: string | null
  readonly assigneeId: string | null
  readonly delegateId: string | null
  readonly creatorId: string | null
  readonly parentId: string | null
  readonly labelIds: ReadonlyArray<string>
  /** The latest last. */
  readonly previousIdentifiers: ReadonlyArray<string>
  readonly startedAt: number | null
  readonly completedAt: number | null
  readonly canceledAt: number | null
  readonly autoArchivedAt: number | null
  readonly trashed: boolean | null
}

export interface IssueRelation extends Entity {
  readonly __typename: "IssueRelation"
  /** blocks, duplicate, related, similar; a string like in the schema, so anything. */
  readonly type: string
  /** The source: with `blocks`, the one that blocks. */
  readonly issueId: string
  readonly relatedIssueId: string
}

export interface Comment extends Entity {
  readonly __typename: "Comment"
  readonly body: string
  readonly issueId: string
  readonly parentId: string | null
  readonly userId: string | null
  readonly editedAt: number | null
  readonly resolvedAt: number | null
  readonly resolvingUserId: string | null
  readonly quotedText: string | null
}

export interface Attachment extends Entity {
  readonly __typename: "Attachment"
  readonly issueId: string
  readonly title: string
  readonly subtitle: string | null
  readonly url: string
  readonly sourceType: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly groupBySource: boolean
  readonly creatorId: string | null
}

/** A file that was asked for; `body` is there once its bytes have been put. */
export interface Upload extends Entity {
  readonly __typename: "Upload"
  readonly filename: string
  readonly contentType: string
  readonly size: number
  readonly makePublic: boolean
  readonly body: Uint8Array | null
}

export interface Entities {
  readonly Organization: Organization
  readonly User: User
  readonly Team: Team
  readonly WorkflowState: WorkflowState
  readonly Project: Project
  readonly IssueLabel: IssueLabel
  readonly Issue: Issue
  readonly IssueRelation: IssueRelation
  readonly Comment: Comment
  readonly Attachment: Attachment
  readonly Upload: Upload
}

export type EntityName = keyof Entities
