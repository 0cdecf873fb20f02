/**
 * An orchestrator for programs without Effect: plain objects in, promises and callbacks out. It chooses Node's
 * services and keeps its workspaces on the filesystem.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import * as FilesystemWorkspaces from "@opensymphony/adapters-fs/workspace/FilesystemWorkspaces"
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import * as Policy from "@opensymphony/core/domain/Policy"
import * as Configuration from "@opensymphony/core/orchestrator/Configuration"
import * as MemoryRunStore from "@opensymphony/core/orchestrator/MemoryRunStore"
import * as Orchestrator from "@opensymphony/core/orchestrator/Orchestrator"
import { AgentRuntime } from "@opensymphony/core/ports/AgentRuntime"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import type { Snapshot } from "@opensymphony/core/scheduler/Snapshot"
import * as SessionWorkers from "@opensymphony/core/session/SessionWorkers"
import * as PromptTemplate from "@opensymphony/core/workflow/PromptTemplate"
import * as Problem from "@opensymphony/core/workflow/Problem"
import { passedThrough } from "@opensymphony/core/workflow/ShellEnvironment"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { resolve } from "node:path"
import * as Logging from "../Logging.ts"
import { redactor } from "../Secrets.ts"
import { type PlainRuntime, type PlainTracker, runtimeOf, trackerOf } from "./PlainAdapters.ts"

export interface StartOptions {
  readonly tracker: PlainTracker
  readonly runtime: PlainRuntime
  /** The directory that holds one workspace per issue; made when it is not there. */
  readonly workspaceRoot: string
  /** Liquid template of the prompt over `issue` and `attempt`; a short default when left out. */
  readonly prompt?: string
  /** States as people write them, and limits; everything has the defaults of WORKFLOW.md. Milliseconds. */
  readonly policy?: Partial<Policy.Policy>
  /** What becomes of the workspace of a finished issue; `clean` when left out. */
  readonly remove?: "always" | "clean" | "never"
  /** Takes one log line; nothing is logged when left out. */
  readonly log?: (line: string) => void
}

/** A running orchestrator. */
export interface OrchestratorHandle extends AsyncDisposable {
  /** The present view. */
  readonly snapshot: () => Snapshot
  /** Calls back with the present view and after changes, conflated. Returns what ends the subscription. */
  readonly subscribe: (listener: (snapshot: Snapshot) => void) => () => void
  /** Asks the tracker now. */
  readonly refresh: () => Promise<void>
  /** Nothing starts until `resume`. */
  readonly pause: (reason: string) => Promise<void>
  readonly resume: () => Promise<void>
  /** Keeps an issue from running, stopping its run, until it is released. */
  readonly hold: (issueId: string, note: string) => Promise<void>
  readonly release: (issueId: string) => Promise<void>
  /** Resolves when there is nothing left to do without somebody's help. */
  readonly idle: () => Promise<void>
  /** Stops what runs, in good order, and gives everything back. Calling it again is harmless. */
  readonly stop: () => Promise<void>
}

const templateOf = (text: string): PromptTemplate.PromptTemplate =>
  Result.getOrThrowWith(
    PromptTemplate.compile({ text, path: "prompt", position: { line: 1, column: 1 } }),
    (problems) => new Error(problems.map(Problem.render).join("\n"))
  )

const policyFrom = (given: Partial<Policy.Policy>): Policy.Policy => {
  const policy = { ...Policy.defaults, ...given }
  return {
    ...policy,
    activeStates: policy.activeStates.map(Issue.stateKey),
    terminalStates: policy.terminalStates.map(Issue.stateKey),
    requiredLabels: policy.requiredLabels.map((label) => label.trim().toLowerCase())
  }
}

const layerOf = (options: StartOptions) => {
  const root = resolve(options.workspaceRoot)
  const policy = policyFrom(options.policy ?? {})
  const template = templateOf(options.prompt ?? "")
  const platform = NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))
  const workspaces = FilesystemWorkspaces.layer({
    root,
    remove: options.remove ?? "clean",
    hooks: { afterCreate: null, beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 60_000 },
    hookEnvironment: passedThrough(process.env, []),
    workflowPath: resolve("package.json")
  })
  const workers = SessionWorkers.layer({
    renderPrompt: (facts) => Effect.fromResult(PromptTemplate.render(template, facts)),
    stopTimeoutMs: policy.stopTimeoutMs
  })
  const adapters = workers.pipe(
    Layer.provideMerge(workspaces),
    Layer.provideMerge(Layer.succeed(AgentRuntime, runtimeOf(options.runtime))),
    Layer.provideMerge(Layer.succeed(TrackerBackend, trackerOf(options.tracker)))
  )
  const lock = Layer.effectDiscard(RootLock.acquire({ root, workflowPath: "startOrchestrator" }))
  const logging = Logging.layer({
    format: "logfmt",
    colors: false,
    redact: redactor(process.env),
    write: options.log ?? (() => {})
  })
  return Orchestrator.layer.pipe(
    Layer.provide(Configuration.layer(policy)),
    Layer.provide(adapters),
    Layer.provide(lock),
    Layer.provide(MemoryRunStore.layer),
    Layer.provide(platform),
    Layer.provideMerge(logging)
  )
}

/**
 * Starts an orchestrator in this process. Rejects when the prompt is no valid template, or the workspace root cannot
 * be used or belongs to another orchestrator.
 */
export const startOrchestrator = async (options: StartOptions): Promise<OrchestratorHandle> => {
  const runtime = ManagedRuntime.make(layerOf(options))
  const keepAlive = setInterval(() => {}, 2 ** 30)
  const dispose = async () => {
    clearInterval(keepAlive)
    await runtime.dispose()
  }
  try {
    await runtime.context()
  } catch (error) {
    await dispose()
    throw error
  }
  const call = <A>(f: (orchestrator: Orchestrator.OrchestratorService) => Effect.Effect<A>) =>
    Effect.flatMap(Orchestrator.Orchestrator, f)
  let stopped: Promise<void> | null = null
  const stop = () => (stopped ??= runtime.runPromise(call(({ drain }) => drain)).finally(dispose))
  return {
    snapshot: () => runtime.runSync(call(({ snapshot }) => snapshot)),
    subscribe: (listener) => {
      const fiber = runtime.runFork(
        call(({ changes }) => Stream.runForEach(changes, (snapshot) => Effect.sync(() => listener(snapshot))))
      )
      return () => void runtime.runFork(Fiber.interrupt(fiber))
    },
    refresh: () => runtime.runPromise(call(({ refresh }) => refresh)),
    pause: (reason) => runtime.runPromise(call(({ pause }) => pause(reason))),
    resume: () => runtime.runPromise(call(({ resume }) => resume)),
    hold: (issueId, note) => runtime.runPromise(call(({ hold }) => hold(IssueId(issueId), note))),
    release: (issueId) => runtime.runPromise(call(({ release }) => release(IssueId(issueId)))),
    idle: () => runtime.runPromise(call(({ idle }) => idle)),
    stop,
    [Symbol.asyncDispose]: stop
  }
}
