/**
 * The workpad of an issue: one comment by this credential's user that holds the notes of agents between runs. Found by
 * the id that it had last, else by its marker. Writes to one issue come one after the other (`ToolHost`'s business);
 * those of another process get the same id for a new comment, so that there is never a second one.
 */
import * as Effect from "effect/Effect"
import type { LinearApiService } from "../LinearApi.ts"
import type { LinearError } from "../LinearError.ts"
import { createOnce } from "./CreateOnce.ts"
import * as Reading from "./operations/Reading.ts"
import * as Writing from "./operations/Writing.ts"

/** Lines that begin the first paragraph of a workpad, in the spelling that new ones get first. */
export const defaultMarkers: ReadonlyArray<string> = ["## Agent Harness Workpad", "## Codex Workpad"]

/** Of how many issues the comment is remembered; the others are found by their marker again. */
const rememberedIssues = 1000

export interface Pad {
  readonly id: string
  readonly body: string
  readonly url: string
  /** As Linear gives it (RFC 3339). */
  readonly updatedAt: string
}

export interface Written {
  readonly id: string
  readonly url: string
  readonly isNew: boolean
}

export interface Workpads {
  /** Null when the issue has none. */
  readonly read: (issueId: string) => Effect.Effect<Pad | null, LinearError>
  /** Replaces the text, or makes the workpad; a marker is put before a text without one. */
  readonly write: (issueId: string, text: string) => Effect.Effect<Written, LinearError>
}

/** Whether a comment is a workpad: one of its lines begins with a marker. */
export const hasMarker = (body: string, markers: ReadonlyArray<string>): boolean =>
  body.split(/\r?\n/).some((line) => markers.some((marker) => line.trimStart().startsWith(marker)))

export interface WorkpadOptions {
  readonly api: LinearApiService
  /** {@link defaultMarkers} unless there are others. */
  readonly markers: ReadonlyArray<string>
}

/** The workpads of all issues that one credential writes to. */
export const make = (options: WorkpadOptions): Workpads => {
  const { api } = options
  const markers = options.markers.length === 0 ? defaultMarkers : options.markers
  const known = new Map<string, string>()

  const remember = (issueId: string, id: string) => {
    known.delete(issueId)
    known.set(issueId, id)
    const oldest = known.keys().next()
    if (known.size > rememberedIssues && oldest.done !== true) known.delete(oldest.value)
  }

  /** The comment with that id, if it can be this issue's workpad. */
  const byId = (issueId: string, id: string) =>
    api.call(Reading.comment(id)).pipe(
      Effect.map(({ comment }) => (comment.issue?.id === issueId && comment.resolvedAt === null ? comment : null)),
      Effect.catchTag("LinearNotFound", () => Effect.succeed(null))
    )

  /** The workpad, and beside it those that somebody closed. */
  const find = Effect.fnUntraced(function* (issueId: string) {
    const { nodes } = (yield* api.call(Reading.ownComments(issueId, markers))).comments
    const pads = nodes.filter(({ body, issue }) => issue?.id === issueId && hasMarker(body, markers))
    const open = pads.filter(({ resolvedAt }) => resolvedAt === null)
    const retired = pads.filter(({ resolvedAt }) => resolvedAt !== null).map(({ id }) => id)
    const id = known.get(issueId)
    const remembered = id === undefined ? null : (open.find((pad) => pad.id === id) ?? null)
    // Somebody may have edited its marker away.
    const sought = id === undefined || remembered !== null ? remembered : yield* byId(issueId, id)
    const newest = open.toSorted((self, that) => (self.updatedAt < that.updatedAt ? 1 : -1))[0] ?? null
    const pad = sought ?? newest
    if (pad === null) known.delete(issueId)
    else remember(issueId, pad.id)
    return { pad, retired }
  })

  const update = (issueId: string, id: string, body: string) =>
    Effect.map(Writing.change(api, Writing.updateComment(id, body)), ({ comment }) => {
      remember(issueId, comment.id)
      return { id: comment.id, url: comment.url, isNew: false }
    })

  const write = Effect.fnUntraced(function* (issueId: string, text: string) {
    const body = hasMarker(text, markers) ? text : `${markers[0]}\n\n${text}`
    const { pad, retired } = yield* find(issueId)
    if (pad !== null) return yield* update(issueId, pad.id, body)
    const { isNew, value } = yield* createOnce<{ readonly id: string; readonly url: string }>({
      words: ["workpad", issueId, ...retired.toSorted()],
      create: (id) =>
        Effect.map(Writing.change(api, Writing.createComment({ id, issueId, body })), ({ comment }) => comment),
      find: (id) => byId(issueId, id),
      generations: 3
    })
    if (!isNew) return yield* update(issueId, value.id, body)
    remember(issueId, value.id)
    return { ...value, isNew }
  })

  return { read: (issueId) => Effect.map(find(issueId), ({ pad }) => pad), write }
}
