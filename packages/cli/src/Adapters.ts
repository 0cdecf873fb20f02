/** From a workflow to the adapters that it names. The one place that knows every adapter of this build. */
import * as CommandRuntime from "@opensymphony/adapters-command/CommandRuntime"
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import * as FilesTracker from "@opensymphony/adapters-fs/tracker/FilesTracker"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import { type Backends, ConfigurationError } from "@opensymphony/core/orchestrator/Configuration"
import { AgentRuntime } from "@opensymphony/core/ports/AgentRuntime"
import { TrackerBackend, type TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import { WorkerBackend } from "@opensymphony/core/ports/WorkerBackend"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import * as SessionWorkers from "@opensymphony/core/session/SessionWorkers"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as PromptTemplate from "@opensymphony/core/workflow/PromptTemplate"
import { passedThrough } from "@opensymphony/core/workflow/ShellEnvironment"
import type { CommandSettings, FilesTrackerSettings, Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as RcMap from "effect/RcMap"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type * as LinearAdapters from "./adapters/LinearAdapters.ts"
import type * as OpenHandsAdapters from "./adapters/OpenHandsAdapters.ts"
import * as Redacting from "./Redacting.ts"
import { namedVariables, redactor } from "./Secrets.ts"

/** What the adapters stand on; the CLI and the promise facade choose Node's. */
export type Platform = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

/** What all sets of adapters that this process opens have in common: some things can be had once only. */
export interface Shared {
  /** Takes the lock of a workspace root. */
  readonly lock: (root: string) => Effect.Effect<void, ConfigurationError, Scope.Scope>
  readonly linear: Effect.Effect<LinearAdapters.Share>
  readonly openhands: Effect.Effect<OpenHandsAdapters.Share>
}

export const makeShared = Effect.fnUntraced(function* (
  workflowPath: string
): Effect.fn.Return<Shared, never, Scope.Scope | Platform> {
  const scope = yield* Effect.scope
  const locks = yield* RcMap.make({
    lookup: (root: string) =>
      RootLock.acquire({ root, workflowPath }).pipe(
        Effect.mapError(({ message }) => new ConfigurationError({ message }))
      )
  })
  const linear = yield* Effect.cached(Effect.flatMap(loadLinear, ({ share }) => Scope.provide(share, scope)))
  const platform = yield* Effect.context<Platform>()
  const servers = Effect.flatMap(loadOpenHands, ({ share }) =>
    Effect.provideContext(Scope.provide(share, scope), platform)
  )
  const openhands = yield* Effect.cached(servers)
  return { lock: (root) => RcMap.get(locks, root), linear, openhands }
})

/** What a replacer is given of a secret is its `toJSON`, which is the same for all; its holder has the secret itself. */
const json = (value: unknown): string =>
  JSON.stringify(value, function (this: { readonly [key: string]: unknown }, key, member: unknown) {
    const own = this[key]
    return Redacted.isRedacted(own) ? Redacted.value(own) : member
  })

/** Equal for workflows whose adapters are the same. Never shown: it may contain a secret. */
export const keyOf = ({
  path,
  tracker,
  workspace,
  hooks,
  command,
  openhands,
  runtime,
  agent,
  prompt
}: Workflow): string =>
  json([path, tracker, workspace, hooks, command, openhands, runtime, agent.stopTimeoutMs, prompt.source.text])

const loadOpenHands = Effect.promise(() => import("./adapters/OpenHandsAdapters.ts"))

const loadLinear = Effect.promise(() => import("./adapters/LinearAdapters.ts"))

const filesTracker = ({ activeStates, path, terminalStates }: FilesTrackerSettings) =>
  FilesTracker.layer({ directory: path, activeStates, terminalStates })

/** The tracker, and the tools for agents where it has some. */
const trackerLayer = ({ tracker }: Workflow, shared: Shared) =>
  tracker.kind === "files"
    ? filesTracker(tracker)
    : Layer.unwrap(
        Effect.gen(function* () {
          const { layer } = yield* loadLinear
          return layer(tracker, yield* shared.linear)
        })
      )

const commandRuntime = (workflow: Workflow, command: CommandSettings, environment: Environment) =>
  CommandRuntime.layer({
    run: command.run,
    environment: passedThrough(environment, command.env),
    workflowPath: workflow.path,
    stopTimeoutMs: workflow.agent.stopTimeoutMs
  })

/** Nothing else comes out of a workflow that was read without errors. */
const noRuntime = ({ runtime }: Workflow) =>
  Layer.effect(
    AgentRuntime,
    Effect.fail(new ConfigurationError({ message: `the section of the runtime ${runtime.kind} is missing` }))
  )

const runtimeLayer = (
  workflow: Workflow,
  shared: Shared,
  options: OpenHandsAdapters.Options
): Layer.Layer<AgentRuntime, { readonly message: string }, Platform> => {
  const { command, openhands } = workflow
  if (command !== null) return commandRuntime(workflow, command, options.environment)
  if (openhands === null) return noRuntime(workflow)
  return Layer.unwrap(
    Effect.gen(function* () {
      const { layer } = yield* loadOpenHands
      return layer(workflow, openhands, yield* shared.openhands, options)
    })
  )
}

const workspaceLayer = (workflow: Workflow, environment: Environment, redact: (text: string) => string) => {
  const { hooks, workspace } = workflow
  return FilesystemWorkspaces.layer({
    root: workspace.root,
    remove: workspace.remove,
    hooks,
    hookEnvironment: passedThrough(environment, hooks.env),
    workflowPath: workflow.path,
    stopTimeoutMs: workflow.agent.stopTimeoutMs,
    redact
  })
}

/** The tracker alone, for looking at a board without touching workspaces. */
export const openTracker = ({
  tracker
}: Workflow): Effect.Effect<TrackerBackendService, ConfigurationError, Scope.Scope | Platform> => {
  const layer =
    tracker.kind === "files"
      ? filesTracker(tracker)
      : Layer.unwrap(Effect.map(loadLinear, (linear) => linear.tracker(tracker)))
  return Layer.build(layer).pipe(
    Effect.mapBoth({
      onFailure: ({ message }) => new ConfigurationError({ message }),
      onSuccess: (context) => Context.get(context, TrackerBackend)
    })
  )
}

/** Opens all adapters of a workflow; they live as long as the scope. */
export const open = Effect.fnUntraced(function* (
  workflow: Workflow,
  options: { readonly environment: Environment; readonly shared: Shared }
): Effect.fn.Return<Backends, ConfigurationError, Scope.Scope | Platform> {
  const { environment, shared } = options
  const redact = redactor(environment, namedVariables(workflow))
  yield* shared.lock(workflow.workspace.root)
  const workspaces = Layer.effect(
    WorkspaceBackend,
    Effect.map(WorkspaceBackend, (inner) => Redacting.workspaces(redact, inner))
  ).pipe(Layer.provide(workspaceLayer(workflow, environment, redact)))
  const runtime = Redacting.runtime(redact).pipe(Layer.provide(runtimeLayer(workflow, shared, { environment, redact })))
  const workers = SessionWorkers.layer({
    renderPrompt: (facts) => Effect.fromResult(PromptTemplate.render(workflow.prompt, facts)),
    stopTimeoutMs: workflow.agent.stopTimeoutMs
  })
  const all = workers.pipe(
    Layer.provideMerge(runtime),
    Layer.provideMerge(workspaces),
    Layer.provideMerge(trackerLayer(workflow, shared))
  )
  const context = yield* Layer.build(all).pipe(Effect.mapError(({ message }) => new ConfigurationError({ message })))
  return {
    tracker: Context.get(context, TrackerBackend),
    workspaces: Context.get(context, WorkspaceBackend),
    workers: Context.get(context, WorkerBackend),
    health: Context.get(context, AgentRuntime).health
  }
})
