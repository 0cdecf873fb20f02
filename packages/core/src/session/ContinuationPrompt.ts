/** What an agent is told at the beginning of a turn that is not the first of its run. */
import type { Issue } from "../domain/Issue.ts"

export interface Continuation {
  /** As the tracker has it now. */
  readonly issue: Issue
  /** The turn that begins. */
  readonly turn: number
  readonly maxTurns: number
}

/** The guidance alone, enough for an agent that remembers the earlier turns. */
export const guidance = ({ issue, maxTurns, turn }: Continuation): string =>
  [
    `${issue.identifier} is still in the state "${issue.state}", so it counts as unfinished.`,
    `This is turn ${turn} of at most ${maxTurns} in this run. Continue where you left off; do not start over.`,
    "Look first at what is already done: the files of this workspace, its version history, any notes. Then do what is missing.",
    "When the work is complete, move the issue on to its next state."
  ].join("\n")

/** The whole prompt again, for an agent that remembers nothing, with the guidance behind it. */
export const complete = (prompt: string, continuation: Continuation): string => `${prompt}\n\n${guidance(continuation)}`
