/**
 * Where the orchestrator gets its policy and its adapters from, and how it learns that they changed. The CLI watches a
 * WORKFLOW.md; a program that embeds the library may have fixed ones ({@link layer}).
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Policy } from "../domain/Policy.ts"
import type { RuntimeHealth } from "../ports/AgentRuntime.ts"
import { TrackerBackend, type TrackerBackendService } from "../ports/TrackerBackend.ts"
import { WorkerBackend, type WorkerBackendService } from "../ports/WorkerBackend.ts"
import { WorkspaceBackend, type WorkspaceBackendService } from "../ports/WorkspaceBackend.ts"

/** One set of adapters. A run keeps the set that it started with. */
export interface Backends {
  readonly tracker: TrackerBackendService
  readonly workspaces: WorkspaceBackendService
  readonly workers: WorkerBackendService
  readonly health: Stream.Stream<RuntimeHealth>
}

/** The configuration, or an adapter that it names, cannot be used. The message says what, where, and how to mend it. */
export class ConfigurationError extends Data.TaggedError("ConfigurationError")<{ readonly message: string }> {}

export interface Configuration {
  readonly policy: Policy
  /** Equal for configurations whose adapters are the same: then the adapters in use stay. */
  readonly adapters: string
  /** Builds the adapters; they live as long as the scope. */
  readonly open: Effect.Effect<Backends, ConfigurationError, Scope.Scope>
}

export type ConfigurationUpdate = Data.TaggedEnum<{
  Changed: { readonly configuration: Configuration }
  /** The newest one is bad: the last good one stays, and the problem is shown until it is mended. */
  Broken: { readonly problem: string }
}>
export const ConfigurationUpdate = Data.taggedEnum<ConfigurationUpdate>()

export class ConfigurationSource extends Context.Service<
  ConfigurationSource,
  {
    readonly initial: Effect.Effect<Configuration, ConfigurationError>
    readonly updates: Stream.Stream<ConfigurationUpdate>
  }
>()("@opensymphony/core/ConfigurationSource") {}

/** A configuration that never changes, from a policy and the adapters in the environment. */
export const layer = (
  policy: Policy
): Layer.Layer<ConfigurationSource, never, TrackerBackend | WorkspaceBackend | WorkerBackend> =>
  Layer.effect(
    ConfigurationSource,
    Effect.gen(function* () {
      const backends: Backends = {
        tracker: yield* TrackerBackend,
        workspaces: yield* WorkspaceBackend,
        workers: yield* WorkerBackend,
        health: Stream.empty
      }
      return {
        initial: Effect.succeed({ policy, adapters: "", open: Effect.succeed(backends) }),
        updates: Stream.empty
      }
    })
  )
