/** The `opensymphony` command: its subcommands, and how their ends become an exit status. */
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Argument from "effect/cli/Argument"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Platform } from "./Adapters.ts"
import * as ChildGroups from "./ChildGroups.ts"
import { DebugCommand } from "./commands/DebugCommand.ts"
import { DemoCommand } from "./commands/DemoCommand.ts"
import { DoctorCommand } from "./commands/DoctorCommand.ts"
import { InstallCommand } from "./commands/InstallCommand.ts"
import { IssueCommand } from "./commands/IssueCommand.ts"
import { LinearMcpCommand } from "./commands/LinearMcpCommand.ts"
import { RehydrateCommand } from "./commands/RehydrateCommand.ts"
import { ExplainCommand, RunCommand } from "./commands/RunCommand.ts"
import { SimulateCommand } from "./commands/SimulateCommand.ts"
import { ToolCommand } from "./commands/ToolCommand.ts"
import { ExitStatus } from "./ExitStatus.ts"
import * as Logging from "./Logging.ts"
import * as Presentation from "./Presentation.ts"
import { redactor } from "./Secrets.ts"
import { version } from "./Version.ts"

const shells = ["bash", "zsh", "fish", "powershell"] as const

/** The same as `--completions`, for those who look for a command. */
const CompletionsCommand = Command.make("completions", { shell: Argument.Literals("shell", shells) }, ({ shell }) =>
  Effect.suspend(() => run(["--completions", shell]))
).pipe(Command.withDescription("Print the completion script of a shell"))

const command = Command.make("opensymphony").pipe(
  Command.withDescription("Turns an issue tracker into an always-on crew of coding agents"),
  Command.withSubcommands([
    RunCommand,
    ExplainCommand,
    DoctorCommand,
    DemoCommand,
    IssueCommand,
    DebugCommand,
    RehydrateCommand,
    ToolCommand,
    LinearMcpCommand,
    InstallCommand,
    SimulateCommand,
    CompletionsCommand
  ])
)

const run: (args: ReadonlyArray<string>) => Effect.Effect<void, unknown, Command.Environment | Platform> = (args) =>
  Command.runWith(command, { version })(args)

const builtIns = [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
const platform = NodeProcessProbe.layer.pipe(
  Layer.provideMerge(ChildGroups.layer),
  Layer.provideMerge(NodeServices.layer)
)

const failed = 1
const wrongUsage = 2

const statusOf = (exit: Exit.Exit<void, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error instanceof ExitStatus) return error.status
  if (CliError.isCliError(error)) return error._tag === "ShowHelp" && error.errors.length === 0 ? 0 : wrongUsage
  if (error === undefined) process.stderr.write(`opensymphony: this is a bug: ${Cause.pretty(exit.cause)}\n`)
  return failed
}

/** Standard output is for answers; what a command logs besides belongs on the other stream. `run` brings its own. */
const logging = Logging.layer({
  format: process.stderr.isTTY ? "pretty" : "logfmt",
  colors: process.stderr.isTTY && process.env["NO_COLOR"] === undefined,
  redact: redactor(process.env),
  write: (line) => process.stderr.write(`${line}\n`)
})

/** Waits until what was written has left the process: a pipe takes its time. */
const flushed = (stream: NodeJS.WriteStream) => new Promise<void>((resolve) => void stream.write("", () => resolve()))

/** Whoever reads the output may close it, as `head` does. The work goes on without a reader. */
const outliveReaders = (): void => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})
}

/** Runs the command on these arguments and ends the process. */
const main = async (args: ReadonlyArray<string>): Promise<void> => {
  outliveReaders()
  process.on("exit", ChildGroups.killChildren)
  const keepAlive = setInterval(() => {}, 2 ** 30)
  const exit = await Effect.runPromiseExit(
    run(args).pipe(
      Effect.provide(platform),
      Effect.provide([CliConfig.layer({ builtIns }), Presentation.layer, logging])
    )
  )
  clearInterval(keepAlive)
  const status = statusOf(exit)
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(status)
}

void main(process.argv.slice(2))
