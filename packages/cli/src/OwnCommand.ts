/**
 * Lets agents call `opensymphony issue ...`: the directory of the command that is running is appended to their PATH,
 * behind everything else, so that it shadows nothing.
 */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { accessSync, constants, realpathSync } from "node:fs"
import { basename, delimiter, dirname, join } from "node:path"

/** `script` is the path by which this process was started (`process.argv[1]`). */
export const exposeOwnCommand = (environment: Environment, script: string | undefined): Environment => {
  if (script === undefined || basename(script) !== "opensymphony") return environment
  const path = environment["PATH"] ?? ""
  const directory = dirname(script)
  if (path.split(delimiter).includes(directory)) return environment
  return { ...environment, PATH: path === "" ? directory : `${path}${delimiter}${directory}` }
}

/** The file that is running, by its own name: links to it (`node_modules/.bin`) come and go. */
const script = (): string => realpathSync(process.argv[1] ?? import.meta.filename)

/** A command that runs this program with these arguments, wherever it is started from. */
export const ownCommand = (
  args: ReadonlyArray<string>
): { readonly command: string; readonly args: ReadonlyArray<string> } => ({
  command: process.execPath,
  args: [...process.execArgv, script(), ...args]
})

/** Whether agents with this environment find `opensymphony`. */
export const findsOwnCommand = (environment: Environment): boolean =>
  (environment["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, "opensymphony"), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
