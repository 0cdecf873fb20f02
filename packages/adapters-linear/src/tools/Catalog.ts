/** All tools there are, on one credential. */
import * as Effect from "effect/Effect"
import { LinearApi } from "../LinearApi.ts"
import * as AddBlocker from "./catalog/AddBlocker.ts"
import * as AddComment from "./catalog/AddComment.ts"
import * as CreateSubIssue from "./catalog/CreateSubIssue.ts"
import * as GetIssue from "./catalog/GetIssue.ts"
import * as LinkPullRequest from "./catalog/LinkPullRequest.ts"
import * as RawQuery from "./catalog/RawQuery.ts"
import * as StateTools from "./catalog/StateTools.ts"
import * as UploadFile from "./catalog/UploadFile.ts"
import * as WorkpadTools from "./catalog/WorkpadTools.ts"
import * as IssueLocks from "./IssueLocks.ts"
import type { Tool } from "./Tool.ts"
import * as Workpad from "./Workpad.ts"

export interface CatalogOptions {
  /** Lines that mark a workpad; the first one is written. None: {@link Workpad.defaultMarkers}. */
  readonly workpadMarkers: ReadonlyArray<string>
  /** Whether there is a tool for any read that the key may do. */
  readonly rawQueries: boolean
}

export interface Catalog {
  /** Who changes an issue holds its lock. */
  readonly locks: IssueLocks.IssueLocks
  readonly tools: ReadonlyArray<Tool>
  readonly workpads: Workpad.Workpads
}

export const make = Effect.fnUntraced(function* (
  options: CatalogOptions
): Effect.fn.Return<Catalog, never, LinearApi | UploadFile.Services> {
  const api = yield* LinearApi
  const workpads = Workpad.make({ api, markers: options.workpadMarkers })
  const tools = [
    GetIssue.make(api),
    ...WorkpadTools.make(workpads),
    AddComment.make(api),
    ...StateTools.make(api),
    LinkPullRequest.make(api),
    CreateSubIssue.make(api),
    AddBlocker.make(api),
    yield* UploadFile.make(api),
    ...(options.rawQueries ? [RawQuery.make(api)] : [])
  ]
  return { locks: IssueLocks.make(), tools, workpads }
})
