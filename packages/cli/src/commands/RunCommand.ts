/** `opensymphony run`: the arguments; what it does is loaded only when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

const strict = Flag.Boolean("strict").pipe(
  Flag.withDefault(false),
  Flag.withDescription("Treat warnings about the workflow as errors")
)

const workflow = Argument.String("workflow").pipe(
  Argument.withDefault("WORKFLOW.md"),
  Argument.withDescription("Path of the WORKFLOW.md; ./WORKFLOW.md when not given")
)

export const RunCommand = Command.make(
  "run",
  {
    workflow,
    untilIdle: Flag.Boolean("until-idle").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Exit with a summary when nothing is left to do")
    ),
    logFormat: Flag.Literals("log-format", ["pretty", "logfmt", "json"]).pipe(
      Flag.optional,
      Flag.withDescription("Form of the log lines on stderr; pretty on a terminal, else logfmt")
    ),
    strict
  },
  Effect.fnUntraced(function* ({ logFormat, strict: isStrict, untilIdle, workflow: path }) {
    const { run } = yield* Effect.promise(() => import("../run/RunProgram.ts"))
    const options = { workflow: path, untilIdle, logFormat: Option.getOrNull(logFormat), strict: isStrict }
    const status = yield* run(options, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Work on the issues of a tracker until a signal, or until nothing is left to do"))

export const ExplainCommand = Command.make(
  "explain",
  {
    workflow,
    issue: Argument.String("issue").pipe(
      Argument.optional,
      Argument.withDescription("Identifier of one issue; all candidates when not given")
    ),
    strict
  },
  Effect.fnUntraced(function* ({ issue, strict: isStrict, workflow: path }) {
    const { explain } = yield* Effect.promise(() => import("../run/ExplainProgram.ts"))
    const options = { workflow: path, issue: Option.getOrNull(issue), strict: isStrict }
    yield* explain(options, yield* ProcessEnvironment)
  })
).pipe(Command.withDescription("Ask the tracker once and say of every candidate why it would start, or not"))
