/** What the output of one turn amounts to: the events of each line, and how the turn came to rest. */
import type { OutputStream, ShellResult } from "@opensymphony/adapters-fs/process/ShellProcess"
import { lastCharacters } from "@opensymphony/adapters-fs/process/OutputTail"
import { AgentEvent, TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import * as PlainText from "./PlainText.ts"
import * as StructuredLine from "./StructuredLine.ts"

export interface TurnOutput {
  /** The newest lines that were not structured. */
  readonly lastLines: ReadonlyArray<string>
  readonly summary: string | null
  readonly usageLimit: StructuredLine.UsageLimit | null
}

export const empty: TurnOutput = { lastLines: [], summary: null, usageLimit: null }

/** Of lines that were read at once, so many become activity: all of what a person could follow. */
const maxLinesAtOnce = 100
const maxActivityLength = 200
const maxReasonLines = 5
/** Of a summary and of the lines in a reason, in UTF-16 units. */
const maxTextLength = 1024

/** The output with one more line, and what that line says; at least one event. */
export const accept = (
  self: TurnOutput,
  turn: number,
  stream: OutputStream,
  line: string
): readonly [TurnOutput, ReadonlyArray<AgentEvent>] => {
  const structured = stream === "stdout" ? StructuredLine.parse(line) : null
  if (structured === null) {
    const text = PlainText.oneLine(line, maxTextLength)
    const lastLines = text === "" ? self.lastLines : [...self.lastLines, text].slice(-maxReasonLines)
    const activity = AgentEvent.Activity({ kind: stream, summary: PlainText.oneLine(text, maxActivityLength) })
    return [{ ...self, lastLines }, [activity]]
  }
  const summary = structured.summary === null ? null : PlainText.oneLine(structured.summary, maxTextLength)
  const events: Array<AgentEvent> = []
  if (structured.session !== null) events.push(AgentEvent.SessionReported({ session: structured.session }))
  if (structured.usage !== null) {
    events.push(AgentEvent.UsageReported({ source: `turn-${turn}`, usage: structured.usage }))
  }
  if (summary !== null || events.length === 0) {
    events.push(AgentEvent.Activity({ kind: "report", summary: PlainText.oneLine(summary ?? "", maxActivityLength) }))
  }
  return [{ ...self, summary: summary ?? self.summary, usageLimit: structured.usageLimit ?? self.usageLimit }, events]
}

/** Of lines that were read at once, those to {@link accept}: in a flood the newest, and whatever may be structured. */
export const selected = (stream: OutputStream, lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const firstOfNewest = lines.length - maxLinesAtOnce
  if (firstOfNewest <= 0) return lines
  return lines.filter(
    (line, index) => index >= firstOfNewest || (stream === "stdout" && StructuredLine.isPossible(line))
  )
}

const ending = (exit: ShellResult): string => {
  if (exit.exitCode !== null) return `the command exited with status ${exit.exitCode}`
  return exit.signal === null ? "the command was ended by a signal" : `the command was ended by ${exit.signal}`
}

/** How a turn with this output came to rest when its process ended like that. */
export const result = (self: TurnOutput, exit: ShellResult): TurnResult => {
  if (self.usageLimit !== null) {
    const reason = self.summary ?? "the agent reported that its usage limit is reached"
    return TurnResult.UsageLimited({ untilMs: self.usageLimit.untilMs, reason })
  }
  if (!exit.groupGone) {
    return TurnResult.Failed({ reason: "the command left processes behind that survive SIGKILL; end them by hand" })
  }
  if (exit.exitCode === 0) return TurnResult.Completed({ summary: self.summary })
  const lines = lastCharacters(self.lastLines.join("\n"), maxTextLength)
  const said = lines === "" ? self.summary : lines
  return TurnResult.Failed({ reason: said === null ? ending(exit) : `${ending(exit)}: ${said}` })
}
