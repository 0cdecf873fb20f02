/** One thing that `opensymphony doctor` looked at, and how it is told. */

export const statuses = ["PASS", "WARN", "FAIL", "SKIP"] as const
export type Status = (typeof statuses)[number]

export interface Check {
  readonly status: Status
  /** What was looked at: `workflow`, `template`, `tracker`, ... */
  readonly subject: string
  /** What was found; unless it is good, also how to mend it. */
  readonly message: string
}

const of =
  (status: Status) =>
  (subject: string, message: string): Check => ({ status, subject, message })

export const pass = of("PASS")
export const warn = of("WARN")
export const fail = of("FAIL")
/** It could not be looked at, and why. */
export const skip = of("SKIP")

const subjectWidth = 11

/** One line, whatever the message holds. */
export const render = ({ message, status, subject }: Check): string =>
  `${status}  ${subject.padEnd(subjectWidth)}  ${message.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()}`

/** `5 PASS, 1 WARN, 0 FAIL, 0 SKIP`. */
export const summary = (checks: ReadonlyArray<Check>): string =>
  statuses.map((status) => `${checks.filter((check) => check.status === status).length} ${status}`).join(", ")

/** Whether an orchestrator on this workflow would not work. */
export const isBad = (checks: ReadonlyArray<Check>): boolean => checks.some(({ status }) => status === "FAIL")
