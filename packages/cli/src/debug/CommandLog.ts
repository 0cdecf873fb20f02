/** Log lines of a command whose standard output is what was asked for: they go to standard error. */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type * as Layer from "effect/Layer"
import * as Logging from "../Logging.ts"

export const layer = (environment: Environment, redact: (text: string) => string): Layer.Layer<never> => {
  const { stderr } = process
  return Logging.layer({
    format: stderr.isTTY ? "pretty" : "logfmt",
    colors: stderr.isTTY && environment["NO_COLOR"] === undefined,
    redact,
    write: (line) => void stderr.write(`${line}\n`)
  })
}
