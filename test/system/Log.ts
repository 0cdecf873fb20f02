// The log of an opensymphony that was started with `--log-format json`.

export interface LogEntry {
  readonly time: string
  readonly level: string
  readonly message: string
  readonly issue_id?: string
  readonly issue_identifier?: string
  readonly run_id?: string
}

/** Every line of stderr; a line that is not JSON is an error. */
export const logEntries = (stderr: string): ReadonlyArray<LogEntry> =>
  stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      try {
        return JSON.parse(line) as LogEntry
      } catch {
        throw new Error(`not a JSON log line: ${line}`)
      }
    })
