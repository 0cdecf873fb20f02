/** A program with the operator's commands, for tests that need a process: it is sent signals. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import { Cause, Effect, Exit, Layer, Option } from "effect"
import { Command } from "effect/cli"
import { DebugCommand } from "../../src/commands/DebugCommand.ts"
import { DoctorCommand } from "../../src/commands/DoctorCommand.ts"
import { RehydrateCommand } from "../../src/commands/RehydrateCommand.ts"
import { RunCommand } from "../../src/commands/RunCommand.ts"
import { ExitStatus } from "../../src/ExitStatus.ts"
import * as Presentation from "../../src/Presentation.ts"

const program = Command.make("opensymphony").pipe(
  Command.withSubcommands([DebugCommand, DoctorCommand, RehydrateCommand, RunCommand])
)
const platform = NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))

const statusOf = (exit: Exit.Exit<void, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error === undefined) process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
  return error instanceof ExitStatus ? error.status : 1
}

const keepAlive = setInterval(() => {}, 2 ** 30)
const run = Command.runWith(program, { version: "0" })(process.argv.slice(2))
const exit = await Effect.runPromiseExit(run.pipe(Effect.provide(platform), Effect.provide(Presentation.layer)))
clearInterval(keepAlive)
process.exitCode = statusOf(exit)
