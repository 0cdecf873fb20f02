/** What the tools change in Linear. Every payload says whether it succeeded; {@link succeeded} is to be asked. */
import type { LinearDocument } from "@linear/sdk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService, LinearOperation } from "../../LinearApi.ts"
import { type LinearError, LinearRefused } from "../../LinearError.ts"
import { toolOperation } from "./ToolOperation.ts"

interface Payload {
  readonly success: boolean
}

/** Sends a mutation whose one payload must say `success`. */
export const change = <P extends Payload>(
  api: LinearApiService,
  operation: LinearOperation<{ readonly payload: P }>
): Effect.Effect<P, LinearError> =>
  Effect.flatMap(api.call(operation), ({ payload }) =>
    payload.success
      ? Effect.succeed(payload)
      : Effect.fail(new LinearRefused({ message: `Linear did not carry out ${operation.name} and gives no reason` }))
  )

const payloadOf = <F extends Schema.Struct.Fields>(fields: F) =>
  Schema.Struct({ payload: Schema.Struct({ success: Schema.Boolean, ...fields }) })

const moveDocument = `mutation ToolMove($id: String!, $input: IssueUpdateInput!) {
  payload: issueUpdate(id: $id, input: $input) { success issue { identifier state { name } } }
}`

const Moved = payloadOf({
  issue: Schema.NullOr(Schema.Struct({ identifier: Schema.String, state: Schema.Struct({ name: Schema.String }) }))
})

export const move = (id: string, stateId: string): LinearOperation<typeof Moved.Type> => {
  const input: LinearDocument.IssueUpdateInput = { stateId }
  return toolOperation("ToolMove", moveDocument, { id, input }, Moved)
}

const Comment = payloadOf({ comment: Schema.Struct({ id: Schema.String, url: Schema.String }) })

const createCommentDocument = `mutation ToolCreateComment($input: CommentCreateInput!) {
  payload: commentCreate(input: $input) { success comment { id url } }
}`

export const createComment = (
  input: Pick<LinearDocument.CommentCreateInput, "id" | "issueId" | "body">
): LinearOperation<typeof Comment.Type> => toolOperation("ToolCreateComment", createCommentDocument, { input }, Comment)

const updateCommentDocument = `mutation ToolUpdateComment($id: String!, $input: CommentUpdateInput!) {
  payload: commentUpdate(id: $id, input: $input) { success comment { id url } }
}`

export const updateComment = (id: string, body: string): LinearOperation<typeof Comment.Type> => {
  const input: LinearDocument.CommentUpdateInput = { body }
  return toolOperation("ToolUpdateComment", updateCommentDocument, { id, input }, Comment)
}

const createIssueDocument = `mutation ToolCreateIssue($input: IssueCreateInput!) {
  payload: issueCreate(input: $input) { success issue { id identifier url parent { id } } }
}`

const CreatedIssue = payloadOf({
  issue: Schema.NullOr(
    Schema.Struct({
      id: Schema.String,
      identifier: Schema.String,
      url: Schema.String,
      parent: Schema.NullOr(Schema.Struct({ id: Schema.String }))
    })
  )
})

export const createIssue = (input: LinearDocument.IssueCreateInput): LinearOperation<typeof CreatedIssue.Type> =>
  toolOperation("ToolCreateIssue", createIssueDocument, { input }, CreatedIssue)

const createRelationDocument = `mutation ToolCreateRelation($input: IssueRelationCreateInput!) {
  payload: issueRelationCreate(input: $input) { success issueRelation { id } }
}`

const CreatedRelation = payloadOf({ issueRelation: Schema.Struct({ id: Schema.String }) })

/** `blockerId` will block `issueId`. */
export const createBlocker = (
  id: string,
  blockerId: string,
  issueId: string
): LinearOperation<typeof CreatedRelation.Type> => {
  // The enum of the SDK is a run-time value; its members are these words.
  const input = { id, issueId: blockerId, relatedIssueId: issueId, type: "blocks" }
  return toolOperation("ToolCreateRelation", createRelationDocument, { input }, CreatedRelation)
}

const Attached = payloadOf({ attachment: Schema.Struct({ id: Schema.String }) })

export interface Link {
  /** Chosen here, so that a link whose answer was lost is not made twice. */
  readonly id: string
  readonly issueId: string
  readonly url: string
  /** Null leaves it to Linear. */
  readonly title: string | null
}

const linkPullRequestDocument = `mutation ToolLinkPullRequest($id: String!, $issueId: String!, $url: String!, $title: String) {
  payload: attachmentLinkGitHubPR(id: $id, issueId: $issueId, url: $url, title: $title) { success attachment { id } }
}`

/** Needs the GitHub integration of the workspace; the link then follows the pull request. */
export const linkGitHubPullRequest = ({ id, issueId, title, url }: Link): LinearOperation<typeof Attached.Type> =>
  toolOperation("ToolLinkPullRequest", linkPullRequestDocument, { id, issueId, url, title }, Attached)

const linkUrlDocument = `mutation ToolLinkUrl($id: String!, $issueId: String!, $url: String!, $title: String) {
  payload: attachmentLinkURL(id: $id, issueId: $issueId, url: $url, title: $title) { success attachment { id } }
}`

export const linkUrl = ({ id, issueId, title, url }: Link): LinearOperation<typeof Attached.Type> =>
  toolOperation("ToolLinkUrl", linkUrlDocument, { id, issueId, url, title }, Attached)

const uploadDocument = `mutation ToolUpload($filename: String!, $contentType: String!, $size: Int!) {
  payload: fileUpload(filename: $filename, contentType: $contentType, size: $size) {
    success
    uploadFile { uploadUrl assetUrl headers { key value } }
  }
}`

const Upload = payloadOf({
  uploadFile: Schema.NullOr(
    Schema.Struct({
      uploadUrl: Schema.String,
      assetUrl: Schema.String,
      headers: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.String }))
    })
  )
})

export interface UploadRequest {
  readonly filename: string
  readonly contentType: string
  /** In bytes. */
  readonly size: number
}

/** Asks for a place to put a file. */
export const upload = ({ contentType, filename, size }: UploadRequest): LinearOperation<typeof Upload.Type> =>
  toolOperation("ToolUpload", uploadDocument, { filename, contentType, size }, Upload)

/** Every document of this module. */
export const documents: ReadonlyArray<string> = [
  moveDocument,
  createCommentDocument,
  updateCommentDocument,
  createIssueDocument,
  createRelationDocument,
  linkPullRequestDocument,
  linkUrlDocument,
  uploadDocument
]
