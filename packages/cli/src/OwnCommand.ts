/**
 * Lets agents call `opensymphony issue ...`: the directory of the command that is running is appended to their PATH,
 * behind everything else, so that it shadows nothing.
 */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { basename, delimiter, dirname } from "node:path"

/** `script` is the path by which this process was started (`process.argv[1]`). */
export const exposeOwnCommand = (environment: Environment, script: string | undefined): Environment => {
  if (script === undefined || basename(script) !== "opensymphony") return environment
  const path = environment["PATH"] ?? ""
  const directory = dirname(script)
  if (path.split(delimiter).includes(directory)) return environment
  return { ...environment, PATH: path === "" ? directory : `${path}${delimiter}${directory}` }
}

/** A command that runs this program with these arguments, wherever it is started from. */
export const ownCommand = (
  args: ReadonlyArray<string>
): { readonly command: string; readonly args: ReadonlyArray<string> } => ({
  command: process.execPath,
  args: [...process.execArgv, process.argv[1] ?? "opensymphony", ...args]
})
