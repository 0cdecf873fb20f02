/** `link_pull_request`: the issue and the change that resolves it find each other. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LinearApiService } from "../../LinearApi.ts"
import { createOnce } from "../CreateOnce.ts"
import * as Reading from "../operations/Reading.ts"
import * as Writing from "../operations/Writing.ts"
import * as Tool from "../Tool.ts"
import { Line } from "./Texts.ts"

const pullRequestPath = /\/(?:pull|pulls|pull-requests|merge_requests)\/\d+/
const gitHubPullRequest = /^https:\/\/github\.com\/[^/\s]+\/[^/\s]+\/pull\/\d+/

/** The address of a pull request without what does not identify it; null when it is none. */
const normalise = (given: string): string | null => {
  const url = URL.parse(given.trim())
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") return null
  const gitHub = gitHubPullRequest.exec(url.href)
  if (gitHub !== null) return gitHub[0]
  url.hash = ""
  return pullRequestPath.test(url.pathname) ? url.href : null
}

interface Attaching {
  readonly target: Tool.ToolTarget
  readonly url: string
  readonly title: string | null
}

export const make = (api: LinearApiService): Tool.Tool => {
  const linked = (issueId: string, url: string) =>
    Effect.map(
      api.call(Reading.attachments(issueId)),
      ({ issue }) => issue.attachments.nodes.find((attachment) => normalise(attachment.url) === url) ?? null
    )

  /** One way to link, under an id of its own. */
  const once = (
    form: string,
    operation: (link: Writing.Link) => ReturnType<typeof Writing.linkUrl>,
    { target, title, url }: Attaching
  ) =>
    Effect.map(
      createOnce<unknown>({
        words: [form, target.seed, target.issueId, url],
        create: (id) => Writing.change(api, operation({ id, issueId: target.issueId, url, title })),
        find: () => linked(target.issueId, url),
        generations: 1
      }),
      ({ isNew }) => ({ form, isNew })
    )

  /** The integration follows the pull request; without it, or for another host, it is a link like any other. */
  const attach = (attaching: Attaching) => {
    const plain = once("a link", Writing.linkUrl, attaching)
    if (!gitHubPullRequest.test(attaching.url)) return plain
    return Effect.catchTag(
      once("a pull request", Writing.linkGitHubPullRequest, attaching),
      ["LinearInvalidArgument", "LinearRefused", "LinearForbidden", "LinearNotFound"],
      (refused) => Effect.catch(plain, () => Effect.fail(refused))
    )
  }

  return Tool.make({
    name: "link_pull_request",
    title: "Link a pull request",
    description:
      "Attaches the address of a pull request to the issue; changes nothing else. A pull request that is linked already is not linked twice.",
    effect: "adds",
    input: Schema.Struct({
      url: Line.annotate({
        description: "Address of the pull request, such as https://github.com/owner/repository/pull/12"
      }),
      title: Schema.optionalKey(Line.annotate({ description: "What the link is called" }))
    }),
    run: Effect.fnUntraced(function* ({ title, url: given }, target) {
      const url = normalise(given)
      if (url === null) {
        const example = "https://github.com/owner/repository/pull/12"
        const message = `${JSON.stringify(given)} is not the https address of a pull request; give one such as ${example}`
        return yield* new Tool.ToolFailure({ message })
      }
      const already = { text: `${target.identifier} links ${url} already.`, data: { url, created: false } }
      if ((yield* linked(target.issueId, url)) !== null) return already
      const { form, isNew } = yield* attach({ target, url, title: title ?? null })
      return isNew
        ? { text: `Linked ${url} to ${target.identifier} as ${form}.`, data: { url, created: true } }
        : already
    })
  })
}
