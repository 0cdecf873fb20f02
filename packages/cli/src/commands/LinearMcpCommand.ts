/** `opensymphony linear-mcp`: the arguments; what it does is loaded only when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

export const LinearMcpCommand = Command.make(
  "linear-mcp",
  {
    workflow: Argument.String("workflow").pipe(
      Argument.withDefault("WORKFLOW.md"),
      Argument.withDescription("Path of the WORKFLOW.md whose project and credential are meant")
    ),
    issue: Flag.String("issue").pipe(
      Flag.withMetavar("KEY"),
      Flag.optional,
      Flag.withDescription("The issue that all tools act on; without it, each call names one of the project")
    ),
    workspace: Flag.String("workspace").pipe(
      Flag.withMetavar("PATH"),
      Flag.optional,
      Flag.withDescription("Serve the tools of the run that is live in this workspace, without workflow and credential")
    )
  },
  Effect.fnUntraced(function* ({ issue, workflow, workspace }) {
    const { serve } = yield* Effect.promise(() => import("../tools/LinearMcpProgram.ts"))
    const options = { workflow, issue: Option.getOrNull(issue), workspace: Option.getOrNull(workspace) }
    const status = yield* serve(options, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Serve the Linear tools over MCP on standard input and output"))
