/** What is told about a world in which a rule was broken: which, where, how to see it again, and the steps that led there. */
import type { Violation } from "./Checker.ts"
import * as Simulation from "./Simulation.ts"
import * as Trace from "./Trace.ts"

const mostLines = 40

export interface Failure {
  readonly seed: number
  readonly violation: Violation
  /** The last steps about the issues concerned, in columns, under a heading. */
  readonly trace: ReadonlyArray<string>
}

/** Lives the same world once more, with a trace; null when no rule is broken in it. */
export const find = (options: Simulation.Options): Failure | null => {
  const { trace, violation } = Simulation.run({ ...options, trace: true })
  if (violation === null) return null
  const concerned = trace.filter(
    ({ issueIds }, index) =>
      index === trace.length - 1 || violation.issueIds.length === 0 || violation.issueIds.some((id) => issueIds.has(id))
  )
  const lines = concerned.slice(-mostLines).map(({ text }) => text)
  const left = trace.length - lines.length
  return {
    seed: options.seed,
    violation,
    trace: [Trace.heading, ...(left > 0 ? [`(${left} of ${trace.length} steps left out)`] : []), ...lines]
  }
}

/** `build` names the program under test: its version or commit. */
export const render = ({ seed, trace, violation }: Failure, build: string, command: string): ReadonlyArray<string> => [
  `seed ${seed}, ${build}: rule ${violation.rule} (${violation.checker}) is broken: ${violation.text}`,
  `issues: ${violation.issueIds.length === 0 ? "none in particular" : violation.issueIds.join(", ")}`,
  ...trace,
  `to see it again: ${command}`
]
