/** The environment variables that the `issue` commands look at. */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Context from "effect/Context"

/** Those of this process, unless a program or a test provides others. */
export const ProcessEnvironment = Context.Reference<Environment>("@opensymphony/cli/ProcessEnvironment", {
  defaultValue: () => process.env
})
