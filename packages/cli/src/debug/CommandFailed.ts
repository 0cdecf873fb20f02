/** Why an operator's command could not do what it was asked, and what to do. */
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"

/** Shown on stderr; the command then exits with status 1. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{ readonly message: string }> {
  override get [CliError.userMessage](): string {
    return this.message
  }
}
