/**
 * What is wrong with a WORKFLOW.md: a sentence, and where it applies. Those who find problems collect them here; those
 * who show them render them.
 */
import * as SourcePosition from "./SourcePosition.ts"

export type Severity = "error" | "warning"

export interface Problem {
  readonly severity: Severity
  /** The file, as it was named to the parser. */
  readonly path: string
  readonly line: number
  readonly column: number
  /** The setting, such as `agent.max_turns`; `front matter` and `prompt` for the two parts of the file. */
  readonly key: string
  /** What is wrong; how to mend it. Never a secret. */
  readonly message: string
}

const maxLineLength = 1_000
const maxProblems = 100

/** Keys come from the file and could carry line breaks or terminal sequences. */
const onOneLine = (text: string): string => {
  const plain = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
  return plain.length > maxLineLength ? `${plain.slice(0, maxLineLength).toWellFormed()}...` : plain
}

/** `PATH:LINE:COLUMN: key: what is wrong; how to mend it`, always one line. */
export const render = (problem: Problem): string =>
  `${problem.path}:${problem.line}:${problem.column}: ${onOneLine(problem.key)}: ${onOneLine(problem.message)}`

export const isError = (problem: Problem): boolean => problem.severity === "error"

/** Gathers the problems of one file. */
export interface Collector {
  readonly error: (position: SourcePosition.SourcePosition, key: string, message: string) => void
  readonly warning: (position: SourcePosition.SourcePosition, key: string, message: string) => void
  readonly add: (problem: Problem) => void
  /** In the order of the file; the first 100, and how many more there are. */
  readonly all: () => ReadonlyArray<Problem>
}

const bounded = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => {
  const dropped = problems.slice(maxProblems)
  const first = dropped[0]
  if (first === undefined) return problems
  const severity = dropped.some(isError) ? "error" : "warning"
  const message = `${dropped.length} more problems follow; mend those above first`
  return [...problems.slice(0, maxProblems), { ...first, severity, key: "front matter", message }]
}

export const collector = (path: string): Collector => {
  const problems: Array<Problem> = []
  const report = (severity: Severity) => (position: SourcePosition.SourcePosition, key: string, message: string) => {
    problems.push({ severity, path, line: position.line, column: position.column, key, message })
  }
  return {
    error: report("error"),
    warning: report("warning"),
    add: (problem) => {
      problems.push(problem)
    },
    all: () => bounded(problems.toSorted(SourcePosition.compare))
  }
}
