/** Ends the program with a status of its own; everything there is to say was said. */
import * as Data from "effect/Data"

export class ExitStatus extends Data.TaggedError("ExitStatus")<{ readonly status: number }> {}
