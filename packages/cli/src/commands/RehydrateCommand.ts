/** `opensymphony rehydrate`: the arguments; what it does is loaded only when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

export const RehydrateCommand = Command.make(
  "rehydrate",
  {
    issue: Argument.String("issue").pipe(Argument.withDescription("Identifier of the issue")),
    workflow: Flag.String("workflow").pipe(
      Flag.withMetavar("PATH"),
      Flag.optional,
      Flag.withDescription("The WORKFLOW.md that is meant; else $OPENSYMPHONY_WORKFLOW, else ./WORKFLOW.md")
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Show what the new conversation would be told, and make none")
    )
  },
  Effect.fnUntraced(function* ({ dryRun, issue, workflow }) {
    const { rehydrate } = yield* Effect.promise(() => import("../rehydrate/RehydrateProgram.ts"))
    const status = yield* rehydrate({ issue, dryRun, workflow: Option.getOrNull(workflow) }, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Give an issue a new conversation that knows what is known of its old one"))
