/**
 * The configuration of an orchestrator from a WORKFLOW.md, followed while it changes. A bad text never replaces a good
 * one; its problems are logged once and shown until they are mended.
 */
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import {
  type Configuration,
  ConfigurationSource,
  ConfigurationUpdate
} from "@opensymphony/core/orchestrator/Configuration"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Problem from "@opensymphony/core/workflow/Problem"
import { policyOf, type Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Adapters from "./Adapters.ts"
import { parseText, readText } from "./WorkflowFile.ts"

/** A watch may miss a change (network filesystems); then this finds it. */
const lookAgainMs = 5_000
const settleMs = 150

export interface WorkflowConfigurationOptions {
  /** The workflow as loaded at the start, and its text. */
  readonly workflow: Workflow
  readonly text: string
  readonly environment: Environment
  readonly strict: boolean
  /** Prints a line of plain text beside the log, which is where problems of the file belong. */
  readonly print: (line: string) => void
}

/** Emits whenever the file may have changed, and when the watch stands: it may have changed before that. */
const mayHaveChanged = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const name = path.basename(file)
  const wakes = yield* Queue.sliding<void>(1)
  const wake = () => Queue.offerUnsafe(wakes, undefined)
  yield* fs.watch(path.dirname(file), { onReady: wake }).pipe(
    Stream.runForEach((event) => Effect.sync(() => path.basename(event.path) === name && wake())),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.sync(wake), lookAgainMs)))
  return Stream.fromEffectRepeat(
    Queue.take(wakes).pipe(Effect.andThen(Effect.sleep(settleMs)), Effect.andThen(Queue.clear(wakes)), Effect.asVoid)
  )
})

export const layer = (
  options: WorkflowConfigurationOptions
): Layer.Layer<ConfigurationSource, never, Adapters.Platform> =>
  Layer.effect(
    ConfigurationSource,
    Effect.gen(function* () {
      const { environment, print, strict } = options
      const file = options.workflow.path
      // Only these: the scope of each set of adapters is that of whoever opens it.
      const platform = Context.pick(
        FileSystem.FileSystem,
        Path.Path,
        ChildProcessSpawner,
        ProcessProbe
      )(yield* Effect.context<Adapters.Platform>())
      const shared = yield* Adapters.makeShared(file)
      /** What could not be used although its text is good: a root that is locked or not writable, say. */
      let unusable: Configuration | null = null
      const configurationOf = (workflow: Workflow): Configuration => {
        const opened = Adapters.open(workflow, { environment, shared }).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              unusable = Exit.isFailure(exit) ? configuration : null
            })
          )
        )
        const configuration: Configuration = {
          policy: policyOf(workflow),
          adapters: Adapters.keyOf(workflow),
          open: Effect.provideContext(opened, platform)
        }
        return configuration
      }

      let lastText = options.text
      const look: Effect.Effect<ReadonlyArray<ConfigurationUpdate>> = Effect.gen(function* () {
        const text = yield* readText(file, "put it back; the last good one stays in force until then")
        // What stands in the way may be mended without touching the file.
        if (text === lastText)
          return unusable === null ? [] : [ConfigurationUpdate.Changed({ configuration: unusable })]
        lastText = text
        unusable = null
        const { workflow, problems } = parseText(file, text, environment)
        const lines = problems.map(Problem.render)
        for (const line of lines) print(line)
        if (workflow === null || (strict && problems.length > 0)) {
          yield* Effect.logError(`${file} is bad; the last good one stays in force until it is mended`)
          return [ConfigurationUpdate.Broken({ problem: lines.join("\n") })]
        }
        return [ConfigurationUpdate.Changed({ configuration: configurationOf(workflow) })]
      }).pipe(
        Effect.catch(({ message }) =>
          Effect.suspend(() => {
            if (lastText === message) return Effect.succeed([])
            lastText = message
            const broken = [ConfigurationUpdate.Broken({ problem: message })]
            return Effect.as(Effect.logError(message), broken)
          })
        ),
        Effect.provideContext(platform)
      )
      const signals = yield* mayHaveChanged(file)
      return {
        initial: Effect.succeed(configurationOf(options.workflow)),
        updates: signals.pipe(
          Stream.mapEffect(() => look),
          Stream.flatMap((updates) => Stream.fromIterable(updates))
        )
      }
    })
  )
