/** Why something could not be installed, and what to do. */
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"

/** Shown on stderr; the command then exits with status 1. */
export class InstallError extends Data.TaggedError("InstallError")<{ readonly message: string }> {
  override get [CliError.userMessage](): string {
    return this.message
  }
}
