/** How a conversation is shown to people, and to programs. Pure; what it shows cannot steer a terminal. */
import type { ConversationInfo } from "@opensymphony/adapters-openhands/client/ConversationInfo"
import type { TranscriptEntry } from "@opensymphony/adapters-openhands/operator/TranscriptEntry"
import * as Usage from "@opensymphony/core/domain/Usage"
import { stripVTControlCharacters } from "node:util"

export interface TranscriptStyle {
  readonly form: "lines" | "full" | "json"
  readonly redact: (text: string) => string
}

/** Of a line that stands for an event. */
const longestLine = 240
/** What is looked at to make one: escapes and blanks take more than they show. */
const longestSource = 40 * longestLine

// Direction overrides can make a line read as something else than it is.
const invisible = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const visible = (line: string): string => stripVTControlCharacters(line).replaceAll("\t", "    ").replace(invisible, "")

const oneLine = (text: string): string => {
  const line = visible(text.replace(/\s+/g, " ")).trim()
  return line.length <= longestLine ? line : `${line.slice(0, longestLine - 1)}…`
}

/** `2026-11-22 20:37:52`, as the server told the time. */
const timeOf = ({ at }: TranscriptEntry): string =>
  (/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/.exec(at)?.slice(1).join(" ") ?? "").padEnd(19)

const whoWidth = 6

const json = ({ at, exitCode, id, kind, text, tool, who }: TranscriptEntry, redact: TranscriptStyle["redact"]) =>
  JSON.stringify({ event: { id, at, who, kind, tool, exitCode, text: redact(text) } })

/** One line for an event; in full form the text with its own lines, indented below the first. */
export const entry = (self: TranscriptEntry, { form, redact }: TranscriptStyle): string => {
  if (form === "json") return json(self, redact)
  const start = `${timeOf(self)}  ${self.who.padEnd(whoWidth)}  `
  if (form === "lines") return start + oneLine(redact(self.line.slice(0, longestSource)))
  const [first = "", ...rest] = redact(self.text)
    .trimEnd()
    .split(/\r\n|\n|\r/)
    .map(visible)
  return [start + first, ...rest.map((line) => `${" ".repeat(start.length)}${line}`.trimEnd())].join("\n")
}

const amount = (value: number): string => value.toLocaleString("en-US")

export interface Heading {
  readonly identifier: string
  readonly conversation: ConversationInfo
  /** Null when the issue has none any more. */
  readonly workspace: string | null
  /** Whether there are events before those that follow. */
  readonly cut: boolean
}

/** What comes before the events. */
export const heading = ({ conversation, cut, identifier, workspace }: Heading, { form }: TranscriptStyle): string => {
  const { id, status, usage } = conversation
  if (form === "json") {
    return JSON.stringify({ conversation: { issue: identifier, id, status, workspace, usage, older: cut } })
  }
  const cost = usage.costUsd > 0 ? `, $${usage.costUsd.toFixed(4)}` : ""
  const lines = [
    `${identifier}: conversation ${id}, ${status}, ${amount(Usage.tokens(usage))} tokens${cost}`,
    workspace === null ? "its workspace is gone" : `workspace ${workspace}`,
    ...(cut ? ["(there are older events: raise --limit to see more of them)"] : [])
  ]
  return lines.map(visible).join("\n")
}

/** A remark of this program's among the events; null where programs read. */
export const remark = (text: string, { form, redact }: TranscriptStyle): string | null =>
  form === "json" ? null : visible(redact(text)).trim()
