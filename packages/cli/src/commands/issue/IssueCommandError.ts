/** Why an `issue` command could not do what it was asked. */
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"

/** Shown as one line on stderr; the command then exits with status 1. */
export class IssueCommandError extends Data.TaggedError("IssueCommandError")<{ readonly message: string }> {
  override get [CliError.userMessage](): string {
    return this.message
  }
}
