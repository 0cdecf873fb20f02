/**
 * Runs the hooks of the workflow: `sh -c` in the workspace, with a small environment, one deadline for the process and
 * its pipes, and nothing left of its process group afterwards.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type { RunId } from "@opensymphony/core/domain/Ids"
import type { Issue } from "@opensymphony/core/domain/Issue"
import * as Policy from "@opensymphony/core/domain/Policy"
import { HookFailed, type HookName, HookTimedOut, type WorkspaceError } from "@opensymphony/core/ports/WorkspaceBackend"
import { issueVariables } from "@opensymphony/core/workflow/IssueVariables"
import type { ProcessProbe } from "../process/ProcessProbe.ts"
import * as ShellProcess from "../process/ShellProcess.ts"
import type { WorkspaceOptions } from "./WorkspaceOptions.ts"

type Files = FileSystem.FileSystem | Path.Path

export interface HookRun {
  readonly hook: HookName
  readonly issue: Issue
  /** Null outside of runs. */
  readonly runId: RunId | null
  readonly attempt: number | null
  readonly workspacePath: string
  /** Writes the process down before the script does anything. */
  readonly onStart: (pid: number) => Effect.Effect<void, WorkspaceError, Files>
  /** Says that nothing of it is left. */
  readonly onEnd: (pid: number) => Effect.Effect<void, WorkspaceError, Files>
}

const maxQuoteLength = 200

const scriptOf = (options: WorkspaceOptions, hook: HookName): string | null => {
  switch (hook) {
    case "after_create":
      return options.hooks.afterCreate
    case "before_run":
      return options.hooks.beforeRun
    case "after_run":
      return options.hooks.afterRun
    case "before_remove":
      return options.hooks.beforeRemove
  }
}

/** The last line of output that says something, for a message of one line. */
const lastLine = (outputTail: string): string => {
  const line = outputTail.split(/\r?\n/).findLast((text) => text.trim() !== "")
  return line === undefined ? "it wrote nothing" : `its last line was: ${line.trim().slice(0, maxQuoteLength)}`
}

/** Runs one hook to its end. Without a script there is nothing to do. */
export const run = (
  options: WorkspaceOptions,
  request: HookRun
): Effect.Effect<void, HookFailed | HookTimedOut, ChildProcessSpawner | ProcessProbe | Files> =>
  Effect.gen(function* () {
    const { hook, issue, runId, attempt, workspacePath } = request
    const script = scriptOf(options, hook)
    if (script === null) return
    const what = `hooks.${hook} for ${issue.identifier} in ${workspacePath}`
    const files = Context.pick(FileSystem.FileSystem, Path.Path)(yield* Effect.context<Files>())
    const logged = (effect: Effect.Effect<void, WorkspaceError, Files>) =>
      effect.pipe(
        Effect.provideContext(files),
        Effect.catch((error) => Effect.logWarning(error.message))
      )
    let started = Option.none<number>()
    const result = yield* ShellProcess.run({
      script,
      cwd: workspacePath,
      environment: {
        ...options.hookEnvironment,
        ...issueVariables({ issue, runId, attempt, workspacePath, workflowPath: options.workflowPath })
      },
      timeoutMs: options.hooks.timeoutMs,
      killAfterMs: Policy.killAfterMs(options.stopTimeoutMs ?? Policy.defaults.stopTimeoutMs),
      onStart: (pid) => {
        started = Option.some(pid)
        return logged(request.onStart(pid))
      }
    }).pipe(
      Effect.mapError(
        (error) =>
          new HookFailed({
            hook,
            exitCode: null,
            outputTail: "",
            message: `${what} could not be started: ${error.message}`
          })
      ),
      Effect.ensuring(
        Effect.suspend(() => (Option.isSome(started) ? logged(request.onEnd(started.value)) : Effect.void))
      )
    )
    const outputTail = options.redact?.(result.outputTail) ?? result.outputTail
    if (!result.groupGone) {
      yield* Effect.logWarning(
        `${what} left a process that survives SIGKILL; its process group is ${Option.getOrNull(started)}`
      )
    }
    if (result.timedOut) {
      return yield* new HookTimedOut({
        hook,
        timeoutMs: options.hooks.timeoutMs,
        outputTail,
        message:
          `${what}, or something it started, still ran after ${options.hooks.timeoutMs} ms and was ended; ` +
          `${lastLine(outputTail)}; make it faster or raise hooks.timeout_ms`
      })
    }
    if (result.exitCode !== 0) {
      const how = result.exitCode === null ? "was ended by a signal" : `ended with status ${result.exitCode}`
      return yield* new HookFailed({
        hook,
        exitCode: result.exitCode,
        outputTail,
        message: `${what} ${how}; ${lastLine(outputTail)}`
      })
    }
  })

/** {@link run} where a failure is only worth a warning. */
export const runLogged = (options: WorkspaceOptions, request: HookRun) =>
  Effect.catch(run(options, request), (error) => Effect.logWarning(error.message))
