/** A program with the one command, for tests that need a process. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { LinearMcpCommand } from "../../src/commands/LinearMcpCommand.ts"
import { ExitStatus } from "../../src/ExitStatus.ts"

const run = Command.runWith(LinearMcpCommand, { version: "0" })

const keepAlive = setInterval(() => {}, 2 ** 30)
const status = await Effect.runPromise(
  run(process.argv.slice(2)).pipe(
    Effect.as(0),
    Effect.catch((error) => Effect.succeed(error instanceof ExitStatus ? error.status : 2)),
    Effect.provide(NodeServices.layer)
  )
)
clearInterval(keepAlive)
process.exitCode = status
