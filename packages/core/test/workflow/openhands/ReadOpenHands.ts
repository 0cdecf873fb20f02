/** Reads an `openhands` section, written as the YAML flow map behind its key, for the tests in this folder. */
import type { OpenHandsSettings } from "../../../src/workflow/OpenHandsSettings.ts"
import type { Environment } from "../../../src/workflow/EnvironmentReference.ts"
import { read, rendered } from "../ReadWorkflow.ts"

const prefix = "---\ntracker: {kind: files}\nopenhands: "

const parse = (section: string, environment: Environment) =>
  read(`${prefix}${section}\n---\n`, { knownRuntimeKinds: ["command", "openhands"], environment })

/** The settings of a section that must have no problem at all. */
export const accept = (section: string, environment: Environment = {}): OpenHandsSettings => {
  const parsed = parse(section, environment)
  const settings = parsed.workflow?.openhands
  if (!settings || parsed.problems.length > 0) throw new Error(rendered(parsed).join("\n"))
  return settings
}

/** What is said about a section: severity, column within the section (from 1), key and message. */
export const problems = (section: string, environment: Environment = {}): ReadonlyArray<string> =>
  parse(section, environment).problems.map(
    ({ column, key, line, message, severity }) =>
      `${severity} ${line === 3 ? column - "openhands: ".length : `line ${line}`} ${key}: ${message}`
  )
