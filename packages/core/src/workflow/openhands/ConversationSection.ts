/** `openhands.conversation`: what conversations are like, and when a new one begins. */
import { entryOf } from "../ConfigNode.ts"
import { resolvePath } from "../EnvironmentReference.ts"
import { reusePolicies, type ConversationSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as AgentSection from "./AgentSection.ts"
import * as OptionReader from "./OptionReader.ts"

/** Whether a relative path stays inside at every step, so that it never leads through somebody else's directory. */
const staysInside = (path: string): boolean => {
  let depth = 0
  for (const segment of path.split("/")) {
    if (segment === "..") depth--
    else if (segment !== "" && segment !== ".") depth++
    if (depth < 0) return false
  }
  return depth > 0
}

const directoryInside: ValueReader.ValueReader<string> = (node, key, context) => {
  const value = ValueReader.text(node, key, context)?.trim()
  if (value === undefined) return undefined
  const isRelative = !value.startsWith("/") && !value.startsWith("~") && !value.includes("\0")
  if (isRelative && staysInside(value)) return resolvePath("/", value).slice(1)
  const message = "must be a directory inside the workspace; write a relative path that does not lead out of it"
  context.problems.error(node.position, key, message)
  return undefined
}

const fields = {
  reuse_policy: Section.withDefault(OptionReader.referable(ValueReader.oneOf(reusePolicies)), "per_issue"),
  persistence_dir_relative: Section.withDefault(OptionReader.referable(directoryInside), ".opensymphony/openhands"),
  max_iterations: Section.withDefault(ValueReader.positiveInteger, 500),
  stuck_detection: Section.withDefault(ValueReader.flag, true)
}

const confirmationKinds = ["NeverConfirm", "AlwaysConfirm", "ConfirmRisky"] as const
const confirmationOptions = ["threshold", "confirm_unknown"]

const readConfirmation = (
  conversation: Section.Section,
  context: ReadContext
): ConversationSettings["confirmationPolicy"] => {
  const section = Section.sectionOf(conversation, "confirmation_policy", context)
  const kindField = { kind: Section.withDefault(OptionReader.oneOfExactly(confirmationKinds), "NeverConfirm") }
  const { kind } = Section.readFields(section, kindField, context)
  const isRisky = kind === "ConfirmRisky"
  Section.reportUnknownKeys(section, ["kind", ...(isRisky ? confirmationOptions : [])], [], context)
  const missing = section.map.entries.size > 0 && entryOf(section.map, "kind") === null
  if (missing) {
    const message = `is missing; write one of ${confirmationKinds.join(", ")}`
    context.problems.error(section.position, Section.keyOf(section, "kind"), message)
  }
  return { kind, options: isRisky ? OptionReader.passedOn(section, confirmationOptions, context) : {} }
}

/** A key of the Rust program, of no use here; what it may hold is checked as there. */
const warnOfPersistence = (section: Section.Section, context: ReadContext): void => {
  const entry = entryOf(section.map, "persistence_dir_relative")
  if (entry === null) return
  const message = "has no effect, because the server keeps conversations in its own directory; remove the line"
  context.problems.warning(entry.keyPosition, Section.keyOf(section, "persistence_dir_relative"), message)
}

export const read = (openhands: Section.Section, context: ReadContext): ConversationSettings => {
  const section = Section.sectionOf(openhands, "conversation", context)
  Section.reportUnknownKeys(section, [...Object.keys(fields), "confirmation_policy", "agent"], [], context)
  const values = Section.readFields(section, fields, context)
  warnOfPersistence(section, context)
  return {
    reusePolicy: values.reuse_policy,
    persistenceDirRelative: values.persistence_dir_relative,
    maxIterations: values.max_iterations,
    stuckDetection: values.stuck_detection,
    confirmationPolicy: readConfirmation(section, context),
    agent: AgentSection.read(section, context)
  }
}
