/** `get_issue`: the issue as it is now, for an agent that begins or looks again. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import * as Reading from "../operations/Reading.ts"
import * as Tool from "../Tool.ts"
import { maxTextLength, shorten } from "./Texts.ts"

const defaultComments = 10
const maxComments = 50
const maxCommentLength = 10_000

type Related = { readonly identifier: string; readonly title: string; readonly state: { readonly name: string } }

const relatedLine = ({ identifier, state, title }: Related): string => `- ${identifier} [${state.name}] ${title}`

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", `## ${title}`, ...lines]

const members = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  section(title, lines.length < Reading.shownMembers ? lines : [...lines, "- (there may be more)"])

const blockersOf = ({ inverseRelations }: Reading.IssueDetails): ReadonlyArray<Related> =>
  inverseRelations.nodes.flatMap(({ issue, type }) =>
    type.toLowerCase() === "blocks" && issue !== null ? [issue] : []
  )

const render = (issue: Reading.IssueDetails, comments: Reading.IssueDetails["comments"]["nodes"]): string => {
  const facts: ReadonlyArray<readonly [string, string | null | undefined]> = [
    ["State", `${issue.state.name} (${issue.state.type})`],
    ["Priority", issue.priorityLabel],
    ["Labels", issue.labels.nodes.map(({ name }) => name).join(", ")],
    ["Team", issue.team.key],
    ["Project", issue.project?.name],
    ["Assignee", issue.assignee?.displayName],
    ["Parent", issue.parent === null ? null : `${issue.parent.identifier} ${issue.parent.title}`],
    ["Branch", issue.branchName],
    ["URL", issue.url],
    ["Archived", issue.archivedAt]
  ]
  return [
    `# ${issue.identifier}: ${issue.title}`,
    "",
    ...facts.flatMap(([name, value]) =>
      value === null || value === undefined || value === "" ? [] : `${name}: ${value}`
    ),
    ...members("Blocked by", blockersOf(issue).map(relatedLine)),
    ...members("Sub-issues", issue.children.nodes.map(relatedLine)),
    ...members(
      "Links",
      issue.attachments.nodes.map(({ title, url }) => `- ${title}: ${url}`)
    ),
    ...section("Description", issue.description === null ? [] : [shorten(issue.description, maxTextLength)]),
    ...section(
      "Comments, newest first",
      comments.map(
        ({ body, createdAt, resolvedAt, user }) =>
          `### ${user?.displayName ?? "an integration"}, ${createdAt}${resolvedAt === null ? "" : ", resolved"}\n${shorten(body, maxCommentLength)}`
      )
    )
  ].join("\n")
}

export const make = (api: LinearApiService): Tool.Tool =>
  Tool.make({
    name: "get_issue",
    title: "Get the issue",
    description:
      "Reads the issue as it is in Linear now: state, description, labels, blockers, sub-issues, links, and its newest comments. Changes nothing.",
    effect: "reads",
    input: Schema.Struct({
      comments: Schema.optionalKey(
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: maxComments })).annotate({
          description: `How many of the newest comments; ${defaultComments} unless told`
        })
      )
    }),
    run: ({ comments = defaultComments }, target) =>
      Effect.map(api.call(Reading.issue(target.issueId, Math.max(1, comments))), ({ issue }) => ({
        text: render(issue, issue.comments.nodes.slice(0, comments)),
        data: {
          id: issue.id,
          identifier: issue.identifier,
          title: issue.title,
          state: issue.state.name,
          state_type: issue.state.type,
          url: issue.url,
          branch_name: issue.branchName,
          labels: issue.labels.nodes.map(({ name }) => name),
          blocked_by: blockersOf(issue).map(({ identifier }) => identifier),
          sub_issues: issue.children.nodes.map(({ identifier }) => identifier)
        }
      }))
  })
