/** `opensymphony install`: the arguments; what it does is loaded only when it is called. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

const openhands = Command.make(
  "openhands",
  {
    python: Flag.String("python").pipe(
      Flag.withMetavar("PATH"),
      Flag.optional,
      Flag.withDescription("Python 3.12 or later to use; else one is looked for on the PATH and in pyenv")
    ),
    directory: Flag.String("directory").pipe(
      Flag.withMetavar("DIR"),
      Flag.optional,
      Flag.withDescription("Where to install; else a directory of this user, where `run` finds it")
    )
  },
  Effect.fnUntraced(function* ({ directory, python }) {
    const { install } = yield* Effect.promise(() => import("../install/InstallProgram.ts"))
    const print = (line: string) => void process.stderr.write(`${line}\n`)
    const options = { python: Option.getOrNull(python), directory: Option.getOrNull(directory), print }
    const status = yield* install(options, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Install the OpenHands agent-server that this version is written for, or repair it"))

export const InstallCommand = Command.make("install").pipe(
  Command.withSubcommands([openhands]),
  Command.withDescription("Install what runtimes need")
)
