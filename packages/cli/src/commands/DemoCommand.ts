/** `opensymphony demo`: demonstrations that need no account; each is loaded only when it is called. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

/** Standard output is for the summary of the run. */
const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const exitWith = (status: number) => (status === 0 ? Effect.void : Effect.fail(new ExitStatus({ status })))

const LinearDemoCommand = Command.make(
  "linear",
  {},
  Effect.fnUntraced(function* () {
    const { run } = yield* Effect.promise(() => import("../demo/LinearDemo.ts"))
    yield* exitWith(yield* run(yield* ProcessEnvironment, say))
  })
).pipe(Command.withDescription("Work off the quickstart's issues in a Linear that runs on this machine, without a key"))

const OpenHandsDemoCommand = Command.make(
  "openhands",
  {},
  Effect.fnUntraced(function* () {
    const { run } = yield* Effect.promise(() => import("../demo/OpenHandsDemo.ts"))
    yield* exitWith(yield* run(yield* ProcessEnvironment, say))
  })
).pipe(Command.withDescription("Work off the quickstart's issues in conversations of an agent-server that is played"))

export const DemoCommand = Command.make("demo").pipe(
  Command.withDescription("See it work, without an account"),
  Command.withSubcommands([LinearDemoCommand, OpenHandsDemoCommand])
)
