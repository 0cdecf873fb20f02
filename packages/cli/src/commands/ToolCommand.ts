/** `opensymphony tool`: the arguments; what it does is loaded only when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

export const ToolCommand = Command.make(
  "tool",
  {
    name: Argument.String("name").pipe(
      Argument.optional,
      Argument.withDescription("Name of the tool; help lists them, help NAME says what one takes")
    ),
    words: Argument.String("argument").pipe(
      Argument.variadic(),
      Argument.withDescription("key=text, key:=json, or key=- to read the text from standard input")
    ),
    json: Flag.String("json").pipe(Flag.optional, Flag.withDescription("All arguments as one JSON object")),
    list: Flag.Boolean("list").pipe(Flag.withDefault(false), Flag.withDescription("List the tools of this run")),
    data: Flag.Boolean("data").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Print the facts of the answer as JSON, instead of its text")
    )
  },
  Effect.fnUntraced(function* ({ data, json, list, name, words }) {
    const { run } = yield* Effect.promise(() => import("../tools/ToolProgram.ts"))
    const options = { name: Option.getOrNull(name), words, json: Option.getOrNull(json), list, data }
    const status = yield* run(options, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Call a tool of the run that this agent is in: read, comment on, or move its issue"))
