/**
 * What happened in a simulated world, a line per step, in columns: time, issue, event, phase, commands. Nothing of the
 * machine is in it, so that the same seed writes the same bytes.
 */
import * as HashMap from "effect/HashMap"
import type { IssueId } from "../../domain/Ids.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Event } from "../../scheduler/Event.ts"
import { phaseOf, type State } from "../../scheduler/State.ts"
import { concerned } from "./Concern.ts"
import type { InspectedStep } from "./Inspection.ts"
import type { Truth } from "./Truth.ts"

export interface TraceLine {
  readonly text: string
  /** The issues that the step was about. */
  readonly issueIds: ReadonlySet<IssueId>
}

export interface Trace {
  readonly note: (step: InspectedStep) => void
  readonly lines: () => ReadonlyArray<TraceLine>
}

/** Days, hours, minutes and seconds since the world began. */
export const renderTime = (ms: number): string => {
  const two = (value: number): string => String(value).padStart(2, "0")
  const seconds = Math.floor(ms / 1_000)
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(":")
  return `${Math.floor(seconds / 86_400)}d ${clock}.${String(Math.floor(ms % 1_000)).padStart(3, "0")}`
}

const list = (words: ReadonlyArray<string>, most = 6): string =>
  words.length <= most ? words.join(" ") : `${words.slice(0, most).join(" ")} +${words.length - most}`

const renderEvent = (event: Event): string => {
  const name = event._tag
  switch (event._tag) {
    case "CandidatesPolled":
      return `${name}(${event.batch.issues.length}${event.batch.malformed.length > 0 ? `, ${event.batch.malformed.length} malformed` : ""})`
    case "IssuesRead":
      return `${name}(${event.lane}, ${list(event.ids)})`
    case "IssuesReadFailed":
      return `${name}(${event.lane}, ${event.problem.tag})`
    case "CandidatesFailed":
      return `${name}(${event.problem.tag})`
    case "PreparationFailed":
      return `${name}(${event.runId}, ${event.reason})`
    case "LaunchFailed":
      return `${name}(${event.runId}, ${event.unavailable ? "unavailable" : event.stopped})`
    case "RunFinished":
      return `${name}(${event.runId}, ${event.outcome._tag})`
    case "StopSettled":
      return `${name}(${event.runId}, ${event.result})`
    case "RunClosed":
      return `${name}(${event.runId}, ${event.fingerprint ?? "unknown"})`
    case "TurnStarted":
    case "TurnCompleted":
    case "TurnAsked":
      return `${name}(${event.runId}, ${event.turn})`
    default:
      return "runId" in event ? `${name}(${event.runId})` : "issueId" in event ? `${name}(${event.issueId})` : name
  }
}

const renderCommand = (command: Command): string => {
  switch (command._tag) {
    case "WakeAt":
      return command.at === null ? "WakeAt(never)" : "WakeAt"
    case "PollCandidates":
      return "PollCandidates"
    case "ReadIssues":
      return `ReadIssues(${command.lane}, ${list(command.ids)})`
    case "RemoveWorkspace":
      return `RemoveWorkspace(${command.issue.id})`
    case "AnswerTurn":
      return `AnswerTurn(${command.runId}, ${command.verdict._tag})`
    default:
      return `${command._tag}(${"run" in command ? command.run.runId : command.runId})`
  }
}

const phaseIn = (state: State, id: IssueId): string => {
  const found = HashMap.get(state.issues, id)
  if (found._tag === "None") return "unknown"
  const { hold } = found.value
  const phase = phaseOf(found.value)
  return phase === "held" && hold !== null ? `held:${hold._tag}` : phase
}

const phases = ({ after, before }: InspectedStep, ids: ReadonlySet<IssueId>): string =>
  [...ids]
    .map((id) => {
      const was = phaseIn(before, id)
      const is = phaseIn(after, id)
      const change = was === is ? is : `${was}>${is}`
      return ids.size === 1 ? change : `${id}:${change}`
    })
    .join(" ")

const widths = [16, 7, 40, 24, 0]

const columns = (cells: ReadonlyArray<string>): string =>
  cells
    .map((cell, index) => (index === 0 ? cell.padStart(widths[0] ?? 0) : cell.padEnd(widths[index] ?? 0)))
    .join("  ")
    .trimEnd()

export const heading = columns(["TIME", "ISSUE", "EVENT", "PHASE", "COMMANDS"])

export const make = (truth: Truth): Trace => {
  const lines: Array<TraceLine> = []
  return {
    note: (step) => {
      const ids = concerned(step, truth)
      const event = `${renderEvent(step.event)}${step.isReplay ? " again" : ""}`
      const text = columns([
        renderTime(step.time),
        list([...ids], 3),
        event,
        phases(step, ids),
        step.commands.map(renderCommand).join(" ")
      ])
      const touched = new Set(ids)
      if (step.event._tag === "IssuesRead") for (const id of step.event.ids) touched.add(id)
      lines.push({ text, issueIds: touched })
    },
    lines: () => lines
  }
}
