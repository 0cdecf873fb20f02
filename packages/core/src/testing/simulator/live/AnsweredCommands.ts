/**
 * Rule 15, as the driver has to see to it: every command is answered, within the time that is set for it. What nobody
 * answers any more would be waited for for ever.
 */
import type { IssueId } from "../../../domain/Ids.ts"
import type { Policy } from "../../../domain/Policy.ts"
import type { Command } from "../../../scheduler/Command.ts"
import type { Event } from "../../../scheduler/Event.ts"
import type { Checker } from "../Checker.ts"
import { longestGrip } from "./LiveWorkspaces.ts"

interface Awaited {
  readonly what: string
  readonly issueId: IssueId | null
  readonly dueAt: number
}

const slackMs = 10_000
const pollMs = 300_000
const readMs = 60_000
const removalsAtOnce = 8

/** What identifies a command that waits for its answer, and how long that may take; null for what is not answered. */
const promised = (command: Command, policy: Policy, waiting: number): readonly [string, number] | null => {
  const { stopTimeoutMs, workspaceTimeoutMs } = policy
  switch (command._tag) {
    case "PollCandidates":
      return ["poll", pollMs]
    case "ReadIssues":
      return [`read ${command.lane}`, readMs]
    case "StopRun":
      return [`stop ${command.runId}`, 2 * command.timeoutMs]
    case "PrepareWorkspace":
      return [`prepare ${command.run.runId}`, workspaceTimeoutMs + stopTimeoutMs + longestGrip]
    case "FinishRun":
      return [`finish ${command.run.runId}`, 2 * workspaceTimeoutMs]
    case "LaunchRun":
      return [`launch ${command.run.runId}`, command.timeoutMs + 2 * stopTimeoutMs]
    case "RemoveWorkspace":
      return [`remove ${command.issue.id}`, workspaceTimeoutMs * Math.ceil((waiting + 1) / removalsAtOnce)]
    default:
      return null
  }
}

const issueOf = (command: Command): IssueId | null =>
  "run" in command ? command.run.issue.id : "issue" in command ? command.issue.id : null

const answered = (event: Event): string | null => {
  switch (event._tag) {
    case "CandidatesPolled":
    case "CandidatesFailed":
      return "poll"
    case "IssuesRead":
    case "IssuesReadFailed":
      return `read ${event.lane}`
    case "WorkspacePrepared":
    case "PreparationFailed":
      return `prepare ${event.runId}`
    case "StopSettled":
      return `stop ${event.runId}`
    case "RunClosed":
      return `finish ${event.runId}`
    case "RunLaunched":
    case "LaunchFailed":
      return `launch ${event.runId}`
    case "WorkspaceRemoved":
    case "WorkspaceKept":
    case "RemovalFailed":
      return `remove ${event.issueId}`
    default:
      return null
  }
}

export const make = (): Checker => {
  const open = new Map<string, Awaited>()
  return {
    rule: 15,
    name: "AnsweredCommands",
    onStep: ({ after, at, commands, event, truth }, report) => {
      if (event._tag === "Started") open.clear()
      const answer = answered(event)
      if (answer !== null) open.delete(answer)
      for (const command of commands) {
        // What was cancelled may never be heard of again; its run is given up when its time is over.
        if (command._tag === "CancelPreparation") open.delete(`prepare ${command.runId}`)
        const found = promised(command, after.policy, truth.removals.size)
        if (found === null) continue
        const [what, withinMs] = found
        open.set(what, { what, issueId: issueOf(command), dueAt: at.now + withinMs + slackMs })
        // Nobody waits for a launch that is stopped.
        if (command._tag === "StopRun") open.delete(`launch ${command.runId}`)
      }
      if (event._tag !== "Tick" || truth.isStoreDown) return
      for (const { dueAt, issueId, what } of open.values()) {
        if (at.now <= dueAt || at.now - truth.resumedAt <= pollMs + slackMs) continue
        const text = `${what}: nobody answers`
        if (issueId === null) report(text)
        else report(text, issueId)
      }
    }
  }
}
