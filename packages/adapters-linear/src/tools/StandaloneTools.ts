/**
 * The tools without a run, for any MCP client of a person: on one issue, or on all issues of the workflow's project,
 * each call naming its own.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { LinearApi } from "../LinearApi.ts"
import * as Catalog from "./Catalog.ts"
import type * as UploadFile from "./catalog/UploadFile.ts"
import * as Reading from "./operations/Reading.ts"
import { explain, ToolFailure } from "./Tool.ts"
import * as ToolHost from "./ToolHost.ts"

export interface StandaloneOptions extends Catalog.CatalogOptions {
  /** Issues of other projects are refused. */
  readonly project: { readonly id: string; readonly name: string }
  /** Identifier or id of the issue that all calls act on; null when each call names one. */
  readonly issue: string | null
  /** Absolute path; files outside it are not uploaded. */
  readonly directory: string
}

/** Fails when the one issue does not exist or is out of bounds. */
export const make = Effect.fnUntraced(function* (
  options: StandaloneOptions
): Effect.fn.Return<ToolHost.ToolHost, ToolFailure, LinearApi | UploadFile.Services> {
  const api = yield* LinearApi
  const catalog = yield* Catalog.make(options)
  const { directory, project } = options
  const seed = yield* Effect.flatMap(SecureRandom.SecureRandom, (random) => random.uuidV4()).pipe(
    Effect.provide(SecureRandom.layerWebCrypto)
  )
  const resolve: ToolHost.Resolve = (given) =>
    api.call(Reading.place(given)).pipe(
      Effect.mapError((error) => new ToolFailure({ message: explain(error) })),
      Effect.flatMap(({ issue }) =>
        issue.project?.id === project.id
          ? Effect.succeed({ issueId: issue.id, identifier: issue.identifier, seed, directory })
          : Effect.fail(
              new ToolFailure({
                message: `${issue.identifier} is not in the project ${JSON.stringify(project.name)} of the workflow, and these tools do not reach beyond it`
              })
            )
      )
    )
  if (options.issue === null) return ToolHost.unbound(catalog, resolve)
  return ToolHost.bound(catalog, yield* resolve(options.issue))
})
