/** From pages of Linear's issues to a batch of the core's: decoded, each once, with complete lists. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { LinearDocument } from "@linear/sdk"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { IssueBatch, MalformedRecord } from "@opensymphony/core/ports/TrackerBackend"
import type { LinearApiService, LinearOperation, Purpose } from "../LinearApi.ts"
import { LinearBadResponse, type LinearError, type LinearPartialData } from "../LinearError.ts"
import * as RecentTexts from "../RecentTexts.ts"
import * as CompleteLists from "./CompleteLists.ts"
import * as Connection from "./Connection.ts"
import * as Documents from "./Documents.ts"
import type { IssueContext } from "./IssueFacts.ts"
import * as IssueFacts from "./IssueFacts.ts"
import * as IssueRecord from "./IssueRecord.ts"
import type { OddityLog } from "./OddityLog.ts"

const Answer = Schema.Struct({ issues: Connection.Page })
type Answer = typeof Answer.Type

/** What of an answer can be used: records, and what stands where one should be. */
interface Records {
  readonly good: ReadonlyArray<IssueRecord.IssueRecord>
  readonly bad: ReadonlyArray<IssueRecord.BadRecord>
  readonly pageInfo: Connection.Page["pageInfo"]
}

export interface IssueReader {
  /** All issues that a filter finds, newest first. */
  readonly find: (
    filter: LinearDocument.IssueFilter,
    context: IssueContext,
    purpose: Purpose
  ) => Effect.Effect<IssueBatch, LinearError>
  /** At most a page of issues, by their ids; those that are not visible are absent. */
  readonly byIds: (
    ids: ReadonlyArray<string>,
    context: IssueContext,
    purpose: Purpose
  ) => Effect.Effect<IssueBatch, LinearError>
}

const smallestPage = 12
/** More than can be polled. */
const rememberedIssues = 10_000

interface Parts {
  readonly api: LinearApiService
  readonly oddities: OddityLog
  /** Issues that the core was told of, or asked for. */
  readonly known: RecentTexts.RecentTexts
}

const recordsOf = ({ issues }: Answer, lost: ReadonlySet<number>): Records => {
  const good: Array<IssueRecord.IssueRecord> = []
  const bad: Array<IssueRecord.BadRecord> = []
  for (const [index, node] of issues.nodes.entries()) {
    const decoded = IssueRecord.decode(node)
    if (Result.isFailure(decoded)) bad.push(decoded.failure)
    else if (!lost.has(index)) good.push(decoded.success)
    else {
      const { id, identifier } = decoded.success
      bad.push({ id, identifier, message: "Linear could not deliver this issue completely" })
    }
  }
  return { good, bad, pageInfo: issues.pageInfo }
}

/** Errors that each name an issue on the page cost those issues; any other costs the answer. */
const lostIn = ({ paths }: LinearPartialData): ReadonlySet<number> | null => {
  const places = (paths ?? []).map(([root, list, index]) =>
    root === "issues" && list === "nodes" && typeof index === "number" ? index : null
  )
  const named = places.filter((index) => index !== null)
  return named.length > 0 && named.length === places.length ? new Set(named) : null
}

const decodeAnswer = Schema.decodeUnknownResult(Answer)

const salvage = (error: LinearPartialData): Effect.Effect<Records, LinearPartialData> => {
  const lost = lostIn(error)
  const answer = decodeAnswer(error.data)
  return lost === null || Result.isFailure(answer)
    ? Effect.fail(error)
    : Effect.succeed(recordsOf(answer.success, lost))
}

const request = (api: LinearApiService, operation: Omit<LinearOperation<Answer>, "result" | "repeatable">) =>
  api.call({ ...operation, result: Answer, repeatable: true }).pipe(
    Effect.map((answer) => recordsOf(answer, new Set())),
    Effect.catchTag("LinearPartialData", salvage)
  )

/** Reads with pages of the size that last passed; one that is too complex is halved, twice at most. */
const pageReader = (api: LinearApiService, size: Ref.Ref<number>) =>
  Effect.fnUntraced(function* (
    filter: LinearDocument.IssueFilter,
    after: string | null,
    purpose: Purpose
  ): Effect.fn.Return<Records, LinearError> {
    while (true) {
      const first = yield* Ref.get(size)
      const operation = { name: "Issues", document: Documents.issuesDocument, purpose }
      const records = yield* Effect.result(request(api, { ...operation, variables: { filter, first, after } }))
      if (Result.isSuccess(records)) return records.success
      const error = records.failure
      const half = Math.floor(first / 2)
      if (error._tag !== "LinearTooComplex" || half < smallestPage) return yield* Effect.fail(error)
      yield* Effect.logWarning(`${error.message}; issues are read ${half} at a time from now on`)
      yield* Ref.set(size, half)
    }
  })

const malformed = ({ id, identifier, message }: IssueRecord.BadRecord): MalformedRecord => ({
  source: identifier ?? id ?? "an issue without identifier",
  id: id === null ? null : IssueFacts.issueId(id),
  identifier,
  message
})

/** One record per issue; where pages overlap, the first. */
const unique = (records: ReadonlyArray<IssueRecord.IssueRecord>): ReadonlyArray<IssueRecord.IssueRecord> => {
  const seen = new Set<string>()
  return records.filter(({ id }) => !seen.has(id) && seen.add(id))
}

/**
 * Completes what is truncated, and makes the core's issues of it. One whose lists cannot be had is kept from running; but
 * where the core knows it already, and may be running it, it is only unreadable this time.
 */
const assemble = Effect.fnUntraced(function* (
  { api, known, oddities }: Parts,
  pages: ReadonlyArray<Records>,
  context: IssueContext,
  purpose: Purpose
): Effect.fn.Return<IssueBatch> {
  const records = unique(pages.flatMap(({ good }) => good))
  const truncated = records.filter(({ isTruncated }) => isTruncated).map(({ id }) => id)
  const completed = yield* CompleteLists.read(api, truncated, purpose)
  yield* oddities.note(records)
  const issues: Array<Issue> = []
  const unreadable: Array<MalformedRecord> = []
  for (const record of records) {
    const lists = completed.get(record.id) ?? null
    const message = known.has(record.id) ? IssueFacts.gap(record, lists, context) : null
    if (message === null) issues.push(IssueFacts.make(record, lists, context))
    else unreadable.push(malformed({ ...record, message }))
    known.add(record.id)
  }
  const read = new Set(records.map(({ id }) => id))
  const bad = pages.flatMap((page) => page.bad).filter(({ id }) => id === null || !read.has(id))
  return { issues, malformed: [...bad.map(malformed), ...unreadable] }
})

/** Ids that are missing where an unnamed record stands: that record may be any of them, so that none is gone. */
const missingFrom = (ids: ReadonlyArray<string>, { bad, good }: Records): ReadonlyArray<IssueRecord.BadRecord> => {
  if (!bad.some(({ id }) => id === null)) return bad
  const seen = new Set([...good, ...bad].map(({ id }) => id))
  return [
    ...bad.filter(({ id }) => id !== null),
    ...ids
      .filter((id) => !seen.has(id))
      .map((id) => ({ id, identifier: null, message: "Linear returned a record without id in its place" }))
  ]
}

/** Reads issues by id; what is too complex is read in halves, and those once more. */
const readByIds = (
  api: LinearApiService,
  ids: ReadonlyArray<string>,
  purpose: Purpose
): Effect.Effect<Records, LinearError> =>
  request(api, {
    name: "IssuesByIds",
    document: Documents.issuesByIdsDocument,
    variables: { ids, first: ids.length },
    purpose
  }).pipe(
    Effect.flatMap((records) =>
      records.pageInfo.hasNextPage
        ? Effect.fail(new LinearBadResponse({ message: "Linear returned more issues than were asked for by id" }))
        : Effect.succeed(records)
    ),
    Effect.catchTag("LinearTooComplex", (error) => {
      const half = Math.ceil(ids.length / 2)
      if (half < smallestPage) return Effect.fail(error)
      return Effect.map(
        Effect.forEach([ids.slice(0, half), ids.slice(half)], (some) => readByIds(api, some, purpose)),
        (parts) => ({
          good: parts.flatMap(({ good }) => good),
          bad: parts.flatMap(({ bad }) => bad),
          pageInfo: { hasNextPage: false }
        })
      )
    })
  )

export const make = (api: LinearApiService, oddities: OddityLog): IssueReader => {
  const readPage = pageReader(api, Ref.makeUnsafe(Documents.pageSize))
  const parts: Parts = { api, oddities, known: RecentTexts.make(rememberedIssues) }
  return {
    find: Effect.fnUntraced(function* (filter, context, purpose) {
      const pages = yield* Connection.walk("issues", (after) => readPage(filter, after, purpose))
      return yield* assemble(parts, pages, context, purpose)
    }),
    byIds: Effect.fnUntraced(function* (ids, context, purpose) {
      const records = yield* readByIds(api, ids, purpose)
      for (const id of ids) parts.known.add(id)
      return yield* assemble(parts, [{ ...records, bad: missingFrom(ids, records) }], context, purpose)
    })
  }
}
