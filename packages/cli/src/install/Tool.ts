/** Runs the programs that installing needs, shows what they say, and bounds how long they take. */
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as ShellProcess from "@opensymphony/adapters-fs/process/ShellProcess"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Effect from "effect/Effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"

export interface Tools {
  /** All of it is passed on: indexes, proxies and certificates are the user's own settings. */
  readonly environment: Environment
  /** Shows a line to the user. */
  readonly print: (line: string) => void
}

export interface ToolRun {
  readonly words: ReadonlyArray<string>
  readonly cwd: string
  readonly timeoutMs: number
  /** Whether what it says is shown as it comes. */
  readonly isShown: boolean
}

export interface ToolResult {
  readonly succeeded: boolean
  /** The end of what it said, and how it ended. */
  readonly said: string
}

export type ToolServices = ChildProcessSpawner | ProcessProbe

const killAfterMs = 5_000
/** Installers tell long lists on one line. */
const longestLine = 200

const shown = (line: string): string =>
  line.length > longestLine ? `${line.slice(0, longestLine).toWellFormed()}...` : line

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

const ownVariables: { readonly [name: string]: string } = {
  PYTHONUNBUFFERED: "1",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_NO_INPUT: "1",
  OPENHANDS_SUPPRESS_BANNER: "1",
  LITELLM_LOCAL_MODEL_COST_MAP: "True"
}

/** Of the place this program was started from, not of what it installs. */
const foreign = ["PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"]

const environmentOf = (environment: Environment): { readonly [name: string]: string } => {
  const passed = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || foreign.includes(name) ? [] : [[name, value]]
  )
  return { ...Object.fromEntries(passed), ...ownVariables }
}

const howItEnded = (result: ShellProcess.ShellResult, timeoutMs: number): string => {
  if (result.timedOut) return `not done after ${Math.round(timeoutMs / 1000)} s`
  return result.exitCode === null ? `ended by ${result.signal ?? "a signal"}` : `status ${result.exitCode}`
}

/** Runs a program to its end; interruption ends it and everything it started. */
export const run = ({ environment, print }: Tools, tool: ToolRun): Effect.Effect<ToolResult, never, ToolServices> =>
  ShellProcess.run({
    script: `exec ${tool.words.map(quoted).join(" ")}`,
    cwd: tool.cwd,
    environment: environmentOf(environment),
    timeoutMs: tool.timeoutMs,
    killAfterMs,
    ...(tool.isShown
      ? {
          onLines: (_stream: ShellProcess.OutputStream, lines: ReadonlyArray<string>) =>
            Effect.sync(() => lines.forEach((line) => print(shown(line))))
        }
      : {})
  }).pipe(
    Effect.map((result) => ({
      succeeded: result.exitCode === 0 && !result.timedOut,
      said: `${result.outputTail.trim()}\n(${howItEnded(result, tool.timeoutMs)})`.trim()
    })),
    Effect.catch(({ message }) => Effect.succeed({ succeeded: false, said: message }))
  )
