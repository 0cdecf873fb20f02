/** The mutations an agent's tools need, and some that people's hands need. */
import type { LinearDocument } from "@linear/sdk"
import * as Board from "../Board.ts"
import type { Attachment, Comment, Issue } from "../Entities.ts"
import * as IssueChanges from "../IssueChanges.ts"
import * as Markdown from "../Markdown.ts"
import { invalidArgument, invalidInput, notFound, Refusal } from "../Refusal.ts"
import { only, type RequestContext, type Resolvers } from "./Resolver.ts"

type Context = RequestContext

const done = ({ board }: Context, rest: object = {}) => ({ success: true, lastSyncId: board.lastSyncId, ...rest })

const issueOf = ({ board }: Context, reference: string | null | undefined): Issue => {
  const issue = reference == null ? null : Board.findIssue(board, reference)
  if (issue === null) throw notFound("Issue")
  return issue
}

const commentOf = ({ board }: Context, id: string): Comment => {
  const comment = Board.find(board, "Comment", id)
  if (comment === null) throw notFound("Comment")
  return comment
}

const ownComment = (context: Context, id: string): Comment => {
  const comment = commentOf(context, id)
  if (comment.userId === context.viewerId) return comment
  throw new Refusal({
    message: "You can only change your own comments",
    code: "FORBIDDEN",
    type: "forbidden"
  })
}

const required = (text: string | null | undefined, name: string): string => {
  if (text == null || text.trim() === "") throw invalidArgument(`${name} should not be empty`)
  return text
}

const issueInput = [
  "title",
  "description",
  "priority",
  "estimate",
  "dueDate",
  "sortOrder",
  "subIssueSortOrder",
  "stateId",
  "projectId",
  "assigneeId",
  "delegateId",
  "parentId",
  "teamId",
  "labelIds"
] as const

/** What may be set to nothing is; what may not is left out when it is null, as Linear does. */
function editFrom(input: LinearDocument.IssueUpdateInput | LinearDocument.IssueCreateInput): IssueChanges.IssueEdit {
  const clearable = new Set(["description", "estimate", "dueDate", "projectId", "assigneeId", "delegateId", "parentId"])
  const entries = Object.entries(input).filter(
    ([name, value]: [string, unknown]) =>
      issueInput.some((one) => one === name) && value !== undefined && (value !== null || clearable.has(name))
  )
  const { priority, title } = input
  if (title != null) required(title, "title")
  if (priority != null && (priority < 0 || priority > 4)) throw invalidArgument("priority must be between 0 and 4")
  // The schema has checked the types of the fields, which have the names of an issue's own.
  return Object.fromEntries(entries) as IssueChanges.IssueEdit
}

function labelsAfter(issue: Issue, input: LinearDocument.IssueUpdateInput): IssueChanges.IssueEdit {
  const { addedLabelIds, labelIds, removedLabelIds } = input
  if (addedLabelIds == null && removedLabelIds == null) return {}
  if (labelIds != null) throw invalidArgument("labelIds cannot be used with addedLabelIds or removedLabelIds")
  const removed = new Set(removedLabelIds)
  return { labelIds: [...issue.labelIds.filter((id) => !removed.has(id)), ...(addedLabelIds ?? [])] }
}

/** One attachment per issue and URL: a second one changes the first. */
function attach(
  context: Context,
  draft: Pick<Attachment, "issueId" | "url" | "title" | "subtitle" | "sourceType" | "metadata" | "groupBySource">,
  id: string | null | undefined
) {
  const { board, viewerId } = context
  const same = Board.list(board, "Attachment").find(
    ({ issueId, url }) => issueId === draft.issueId && url === draft.url
  )
  const attachment =
    same === undefined
      ? Board.insert<"Attachment">(board, { __typename: "Attachment", creatorId: viewerId, ...draft }, id)
      : Board.replace(board, same, draft)
  return done(context, { attachment })
}

const httpUrl = (url: string): string => {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw invalidArgument("url must be a URL")
  return url
}

const issues = {
  issueCreate: (_: unknown, { input }: LinearDocument.MutationIssueCreateArgs, context: Context) => {
    only(input, ["id", ...issueInput], "IssueCreateInput")
    const title = required(input.title, "title")
    const draft = { ...editFrom(input), title, teamId: input.teamId, creatorId: context.viewerId }
    const issue = IssueChanges.create(context.board, input.id == null ? draft : { ...draft, id: input.id })
    return done(context, { issue })
  },
  issueUpdate: (_: unknown, { id, input }: LinearDocument.MutationIssueUpdateArgs, context: Context) => {
    only(input, [...issueInput, "addedLabelIds", "removedLabelIds", "trashed"], "IssueUpdateInput")
    const issue = issueOf(context, id)
    const trashed = input.trashed === undefined ? {} : { trashed: input.trashed }
    const changes = { ...editFrom(input), ...labelsAfter(issue, input), ...trashed }
    return done(context, { issue: IssueChanges.edit(context.board, issue, changes) })
  },
  issueArchive: (_: unknown, { id, trash }: LinearDocument.MutationIssueArchiveArgs, context: Context) => {
    const issue = issueOf(context, id)
    const entity =
      trash === true ? IssueChanges.trash(context.board, issue) : IssueChanges.archive(context.board, issue)
    return done(context, { entity })
  },
  issueUnarchive: (_: unknown, { id }: LinearDocument.MutationIssueUnarchiveArgs, context: Context) =>
    done(context, { entity: IssueChanges.unarchive(context.board, issueOf(context, id)) }),
  issueDelete: (_: unknown, args: LinearDocument.MutationIssueDeleteArgs, context: Context) => {
    const issue = issueOf(context, args.id)
    if (args.permanentlyDelete !== true) return done(context, { entity: IssueChanges.trash(context.board, issue) })
    IssueChanges.destroy(context.board, issue)
    return done(context, { entity: null })
  },
  issueAddLabel: (_: unknown, args: LinearDocument.MutationIssueAddLabelArgs, context: Context) => {
    const issue = issueOf(context, args.id)
    const labelIds = [...issue.labelIds, args.labelId]
    return done(context, { issue: IssueChanges.edit(context.board, issue, { labelIds }) })
  },
  issueRemoveLabel: (_: unknown, args: LinearDocument.MutationIssueRemoveLabelArgs, context: Context) => {
    const issue = issueOf(context, args.id)
    const labelIds = issue.labelIds.filter((id) => id !== args.labelId)
    return done(context, { issue: IssueChanges.edit(context.board, issue, { labelIds }) })
  },
  issueRelationCreate: (_: unknown, args: LinearDocument.MutationIssueRelationCreateArgs, context: Context) => {
    const { input } = args
    only(args, ["input"], "issueRelationCreate")
    const issueRelation = IssueChanges.relate(context.board, {
      type: input.type,
      issueId: issueOf(context, input.issueId).id,
      relatedIssueId: issueOf(context, input.relatedIssueId).id,
      id: input.id ?? null
    })
    return done(context, { issueRelation })
  },
  issueRelationDelete: (_: unknown, { id }: LinearDocument.MutationIssueRelationDeleteArgs, context: Context) => {
    const relation = Board.find(context.board, "IssueRelation", id)
    if (relation === null) throw notFound("IssueRelation")
    Board.remove(context.board, relation)
    return done(context, { entityId: relation.id })
  }
}

const comments = {
  commentCreate: (_: unknown, { input }: LinearDocument.MutationCommentCreateArgs, context: Context) => {
    only(input, ["id", "body", "issueId", "parentId", "doNotSubscribeToIssue", "quotedText"], "CommentCreateInput")
    const { board, viewerId } = context
    const parent = input.parentId == null ? null : commentOf(context, input.parentId)
    const issue = issueOf(context, input.issueId ?? parent?.issueId)
    if (parent !== null && parent.issueId !== issue.id) throw invalidInput("The parent is a comment of another issue")
    const comment = Board.insert<"Comment">(
      board,
      {
        __typename: "Comment",
        body: Markdown.normalize(required(input.body, "body")),
        issueId: issue.id,
        parentId: parent?.id ?? null,
        userId: viewerId,
        editedAt: null,
        resolvedAt: null,
        resolvingUserId: null,
        quotedText: input.quotedText ?? null
      },
      input.id
    )
    return done(context, { comment })
  },
  commentUpdate: (_: unknown, args: LinearDocument.MutationCommentUpdateArgs, context: Context) => {
    const { id, input } = args
    only(args, ["id", "input"], "commentUpdate")
    only(input, ["body", "quotedText", "doNotSubscribeToIssue"], "CommentUpdateInput")
    const { body, quotedText } = input
    const comment = Board.replace(context.board, ownComment(context, id), {
      ...(body == null ? {} : { body: Markdown.normalize(required(body, "body")), editedAt: context.board.now() }),
      ...(quotedText == null ? {} : { quotedText })
    })
    return done(context, { comment })
  },
  commentDelete: (_: unknown, { id }: LinearDocument.MutationCommentDeleteArgs, context: Context) => {
    const comment = ownComment(context, id)
    const replies = Board.list(context.board, "Comment").filter(({ parentId }) => parentId === comment.id)
    for (const entity of [...replies, comment]) Board.remove(context.board, entity)
    return done(context, { entityId: comment.id })
  },
  commentResolve: (_: unknown, args: LinearDocument.MutationCommentResolveArgs, context: Context) => {
    only(args, ["id"], "commentResolve")
    const { board, viewerId } = context
    const resolved = { resolvedAt: board.now(), resolvingUserId: viewerId }
    return done(context, { comment: Board.replace(board, commentOf(context, args.id), resolved) })
  },
  commentUnresolve: (_: unknown, { id }: LinearDocument.MutationCommentUnresolveArgs, context: Context) => {
    const resolved = { resolvedAt: null, resolvingUserId: null }
    return done(context, { comment: Board.replace(context.board, commentOf(context, id), resolved) })
  }
}

const attachments = {
  attachmentCreate: (_: unknown, { input }: LinearDocument.MutationAttachmentCreateArgs, context: Context) => {
    only(
      input,
      ["id", "issueId", "url", "title", "subtitle", "metadata", "groupBySource", "iconUrl"],
      "AttachmentCreateInput"
    )
    const draft = {
      issueId: issueOf(context, input.issueId).id,
      url: httpUrl(input.url),
      title: required(input.title, "title"),
      subtitle: input.subtitle ?? null,
      sourceType: "api",
      metadata: input.metadata ?? {},
      groupBySource: input.groupBySource ?? false
    }
    return attach(context, draft, input.id)
  },
  attachmentLinkURL: (_: unknown, args: LinearDocument.MutationAttachmentLinkUrlArgs, context: Context) => {
    only(args, ["id", "issueId", "url", "title"], "attachmentLinkURL")
    const url = httpUrl(args.url)
    const issueId = issueOf(context, args.issueId).id
    const shared = { subtitle: null, sourceType: "unknown", metadata: {}, groupBySource: false }
    return attach(context, { issueId, url, title: args.title ?? url, ...shared }, args.id)
  },
  attachmentLinkGitHubPR: (_: unknown, args: LinearDocument.MutationAttachmentLinkGitHubPrArgs, context: Context) => {
    only(args, ["id", "issueId", "url", "title", "linkKind"], "attachmentLinkGitHubPR")
    const pull = /^https:\/\/github\.com\/([^/]+\/[^/]+)\/pull\/(\d+)/.exec(args.url)
    if (pull === null) throw invalidArgument("url must be the URL of a GitHub pull request")
    const draft = {
      issueId: issueOf(context, args.issueId).id,
      url: args.url,
      title: args.title ?? `${pull[1]}#${pull[2]}`,
      subtitle: null,
      sourceType: "github",
      metadata: { linkKind: args.linkKind ?? "links" },
      groupBySource: false
    }
    return attach(context, draft, args.id)
  },
  attachmentDelete: (_: unknown, { id }: LinearDocument.MutationAttachmentDeleteArgs, context: Context) => {
    const attachment = Board.find(context.board, "Attachment", id)
    if (attachment === null) throw notFound("Attachment")
    Board.remove(context.board, attachment)
    return done(context, { entityId: attachment.id })
  },
  fileUpload: (_: unknown, args: LinearDocument.MutationFileUploadArgs, context: Context) => {
    only(args, ["contentType", "filename", "size", "makePublic"], "fileUpload")
    if (args.size < 1) throw invalidArgument("size must be positive")
    const upload = Board.insert<"Upload">(context.board, {
      __typename: "Upload",
      filename: required(args.filename, "filename"),
      contentType: required(args.contentType, "contentType"),
      size: args.size,
      makePublic: args.makePublic ?? false,
      body: null
    })
    const { contentType, filename, size } = upload
    const address = `${upload.id}/${encodeURIComponent(filename)}`
    const uploadFile = {
      filename,
      contentType,
      size,
      metaData: null,
      uploadUrl: `${context.origin}/uploads/${address}`,
      assetUrl: `${context.origin}/assets/${address}`,
      headers: [
        { key: "x-fake-upload", value: upload.id },
        { key: "cache-control", value: "public, max-age=31536000" }
      ]
    }
    return done(context, { uploadFile })
  }
}

export const mutationResolvers: Resolvers = { Mutation: { ...issues, ...comments, ...attachments } }
