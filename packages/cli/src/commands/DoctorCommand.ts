/** `opensymphony doctor`: the arguments; what it does is loaded only when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

export const DoctorCommand = Command.make(
  "doctor",
  {
    workflow: Argument.String("workflow").pipe(
      Argument.withDefault("WORKFLOW.md"),
      Argument.withDescription("Path of the WORKFLOW.md; ./WORKFLOW.md when not given")
    ),
    noProbe: Flag.Boolean("no-probe").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Leave out the turn of an OpenHands agent, which costs some tokens")
    )
  },
  Effect.fnUntraced(function* ({ noProbe, workflow }) {
    const { examine } = yield* Effect.promise(() => import("../doctor/DoctorProgram.ts"))
    const status = yield* examine({ workflow, probe: !noProbe }, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Look at everything that a run needs, and say how to mend what is wrong"))
