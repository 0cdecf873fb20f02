/** Notes in the truth what the orchestrator ordered and still waits for, as soon as it has decided so. */
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import type { Command } from "../../../scheduler/Command.ts"
import type { Event } from "../../../scheduler/Event.ts"
import { newBody, type Truth } from "../Truth.ts"

export interface Witness {
  readonly note: (step: {
    readonly event: Event
    readonly commands: ReadonlyArray<Command>
    readonly now: number
  }) => void
  /** The run that was last claimed for an issue. */
  readonly runOf: (issueId: IssueId) => RunId | undefined
}

export const make = (truth: Truth): Witness => {
  const newest = new Map<IssueId, RunId>()
  const launching = new Set<RunId>()

  const owe = (runId: RunId, count: number): void => {
    const body = truth.bodies.get(runId)
    if (body !== undefined) body.owed = Math.max(0, body.owed + count)
  }

  const noteCommand = (command: Command, now: number): void => {
    switch (command._tag) {
      case "PollCandidates":
        truth.reads.poll = true
        return
      case "ReadIssues":
        truth.reads[command.lane] = new Set(command.ids)
        if (command.lane === "demand") truth.reads.demandAt = now
        return
      case "PrepareWorkspace": {
        const { issue, runId } = command.run
        newest.set(issue.id, runId)
        truth.bodies.set(runId, { ...newBody(runId, issue.id, issue.identifier), isAlive: false, owed: 1 })
        return
      }
      case "LaunchRun":
        launching.add(command.run.runId)
        return owe(command.run.runId, 1)
      case "StopRun":
        // A launch that is stopped is not answered any more.
        return owe(command.runId, launching.delete(command.runId) ? 0 : 1)
      case "CancelPreparation":
        return owe(command.runId, 1)
      case "FinishRun":
        return owe(command.run.runId, 1)
      case "RemoveWorkspace":
        truth.removals.add(command.issue.id)
    }
  }

  return {
    note: ({ commands, event, now }) => {
      if (event._tag === "RunLaunched" || event._tag === "LaunchFailed") launching.delete(event.runId)
      for (const command of commands) noteCommand(command, now)
    },
    runOf: (issueId) => newest.get(issueId)
  }
}
