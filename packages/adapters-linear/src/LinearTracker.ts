/** The tracker on Linear: one project, read through its API. Writing is left to people and to the agents' tools. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { IssueId } from "@opensymphony/core/domain/Ids"
import {
  type IssueBatch,
  TrackerBackend,
  type TrackerBackendService,
  type TrackerError
} from "@opensymphony/core/ports/TrackerBackend"
import type { LinearTrackerSettings } from "@opensymphony/core/workflow/Workflow"
import { LinearApi, layer as apiLayer, type LinearApiService, type Purpose } from "./LinearApi.ts"
import type { LinearConfigurationError, LinearError } from "./LinearError.ts"
import type { LinearProject, ProjectSettings } from "./LinearProject.ts"
import * as Documents from "./read/Documents.ts"
import type { IssueContext } from "./read/IssueFacts.ts"
import * as IssueReader from "./read/IssueReader.ts"
import * as OddityLog from "./read/OddityLog.ts"
import * as PacedPolls from "./read/PacedPolls.ts"
import { isUuid } from "./read/ProjectReference.ts"
import * as ResolvedProject from "./read/ResolvedProject.ts"
import { trackerError } from "./read/TrackerErrors.ts"

export interface LinearTrackerOptions {
  /** Wakes the poll, as a webhook does; nothing does unless given. */
  readonly changes?: Stream.Stream<void>
}

const batchesAtOnce = 3

const nothing: IssueBatch = { issues: [], malformed: [] }

const batches = (ids: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from({ length: Math.ceil(ids.length / Documents.pageSize) }, (_, index) =>
    ids.slice(index * Documents.pageSize, (index + 1) * Documents.pageSize)
  )

const merged = (parts: ReadonlyArray<IssueBatch>): IssueBatch => ({
  issues: parts.flatMap(({ issues }) => issues),
  malformed: parts.flatMap(({ malformed }) => malformed)
})

/** The tracker over an API. Nothing is asked before it is. */
export const make = (
  api: LinearApiService,
  settings: ProjectSettings,
  options: LinearTrackerOptions = {}
): TrackerBackendService => {
  const project = ResolvedProject.make(api, settings)
  const reader = IssueReader.make(api, OddityLog.make())
  const paced = PacedPolls.make(api)
  const { activeStates, terminalStates } = settings

  const inProject = (
    use: (project: LinearProject, context: IssueContext) => Effect.Effect<IssueBatch, LinearError>
  ): Effect.Effect<IssueBatch, TrackerError> =>
    project.pipe(
      Effect.flatMap((found) => {
        const { assignee, id: projectId, name: projectName } = found
        return use(found, { activeStates, terminalStates, projectId, projectName, assignee })
      }),
      Effect.mapError(trackerError)
    )

  /** The issues of the project that are in one of these states, and the assignee's where one is wanted. */
  const inStates = (
    { assignee, id }: LinearProject,
    states: ReadonlyArray<string>,
    context: IssueContext,
    purpose: Purpose
  ): Effect.Effect<IssueBatch, LinearError> => {
    if (states.length === 0) return Effect.succeed(nothing)
    const filter = {
      project: { id: { eq: id } },
      state: { id: { in: [...states] } },
      ...(assignee === null ? {} : { assignee: { id: { eq: assignee.id } } })
    }
    return reader.find(filter, context, purpose)
  }

  const issuesByIds = (ids: ReadonlyArray<IssueId>): Effect.Effect<IssueBatch, TrackerError> => {
    // Ids of another tracker, from workspaces that were there before: Linear would refuse all for one of them.
    const wanted = [...new Set<string>(ids)].filter(isUuid)
    if (wanted.length === 0) return Effect.succeed(nothing)
    return inProject((_project, context) =>
      Effect.map(
        Effect.forEach(batches(wanted), (some) => reader.byIds(some, context, "refresh"), {
          concurrency: batchesAtOnce
        }),
        merged
      )
    )
  }

  return {
    candidateIssues: inProject((found, context) =>
      Effect.andThen(
        paced,
        Effect.suspend(() => inStates(found, found.activeStateIds, context, "candidates"))
      )
    ),
    terminalIssues: inProject((found, context) => inStates(found, found.terminalStateIds, context, "tools")),
    issuesByIds,
    changes: options.changes ?? Stream.empty
  }
}

/** The tracker over a {@link LinearApi} that others use too. */
export const layerNoDeps = (
  settings: ProjectSettings,
  options: LinearTrackerOptions = {}
): Layer.Layer<TrackerBackend, never, LinearApi> =>
  Layer.effect(
    TrackerBackend,
    Effect.map(LinearApi, (api) => make(api, settings, options))
  )

/**
 * The tracker of a workflow. Building it asks Linear nothing and fails only when endpoint or key cannot work; an unknown
 * project, state or assignee fails the first read with a configuration error that lists what there is.
 */
export const layer = (
  settings: LinearTrackerSettings,
  options: LinearTrackerOptions = {}
): Layer.Layer<TrackerBackend, LinearConfigurationError> =>
  Layer.provide(layerNoDeps(settings, options), apiLayer(settings))
