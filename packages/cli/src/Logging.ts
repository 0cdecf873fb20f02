/** Log lines on stderr, one event a line, without secrets: logfmt and JSON for machines, a short form for people. */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

export const formats = ["pretty", "logfmt", "json"] as const
export type LogFormat = (typeof formats)[number]

export interface LoggingOptions {
  readonly format: LogFormat
  readonly colors: boolean
  readonly redact: (text: string) => string
  /** Takes one finished line, without its line break. */
  readonly write: (line: string) => void
}

const textOf = (message: unknown): string => {
  const parts = Array.isArray(message) ? message : [message]
  return parts.map((part) => (typeof part === "string" ? part : Formatter.formatJson(part))).join(" ")
}

/** Line breaks would make one event two lines, and other control characters would steer the terminal. */
const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, " ⏎ ").replace(/\p{Cc}/gu, " ")

const quoted = (value: string): string => (/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value))

interface Entry {
  readonly time: string
  readonly level: string
  readonly message: string
  readonly annotations: ReadonlyArray<readonly [string, string]>
}

const logfmt = ({ time, level, message, annotations }: Entry): string =>
  [["time", time], ["level", level], ["message", message], ...annotations]
    .map(([key, value]) => `${key}=${quoted(value ?? "")}`)
    .join(" ")

const json = ({ time, level, message, annotations }: Entry): string =>
  JSON.stringify({ time, level, message, ...Object.fromEntries(annotations) })

const paint = (colors: boolean, code: number, text: string): string =>
  colors ? `\u001B[${code}m${text}\u001B[0m` : text

const levelColors: { readonly [level: string]: number } = { warn: 33, error: 31, fatal: 31, debug: 90, trace: 90 }

const pretty = ({ time, level, message, annotations }: Entry, colors: boolean): string => {
  const identifier = annotations.find(([key]) => key === "issue_identifier")?.[1]
  const clock = paint(colors, 90, time.slice(11, 19))
  const word = level === "info" ? "" : `${paint(colors, levelColors[level] ?? 0, level)}  `
  const subject = identifier === undefined ? "" : `${paint(colors, 36, identifier)}  `
  return `${clock}  ${word}${subject}${message}`
}

/** Replaces every logger of the program by one that writes lines as told. */
export const layer = (options: LoggingOptions): Layer.Layer<never> => {
  const { format, colors, redact, write } = options
  const logger = Logger.make<unknown, void>(({ cause, date, fiber, logLevel, message }) => {
    const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
    const failure = cause.reasons.length === 0 ? "" : `: ${Cause.pretty(cause)}`
    const entry: Entry = {
      time: date.toISOString(),
      level: logLevel.toLowerCase(),
      message: oneLine(redact(`${textOf(message)}${failure}`)),
      annotations: annotations.map(([key, value]) => [key, oneLine(redact(String(value)))] as const)
    }
    write(format === "json" ? json(entry) : format === "logfmt" ? logfmt(entry) : pretty(entry, colors))
  })
  return Logger.layer([logger])
}
