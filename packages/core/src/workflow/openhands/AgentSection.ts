/** `openhands.conversation.agent`: the agent of a conversation, with its model, tools and condenser. */
import { describe, entryOf, type ConfigNode } from "../ConfigNode.ts"
import type { CondenserSettings, OpenHandsAgentSettings, ToolSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as LlmSection from "./LlmSection.ts"
import * as OptionReader from "./OptionReader.ts"
import { agentFields } from "./ServerFields.ts"

const defaultTools: ReadonlyArray<ToolSettings> = [
  { name: "terminal", params: {} },
  { name: "file_editor", params: {} }
]

/** The kind that talks to a model itself; others wrap a program that brings its own tools and memory. */
const plainKind = "Agent"

const word: ValueReader.ValueReader<string> = (node, key, context) => ValueReader.text(node, key, context)?.trim()

const toolFields = {
  name: Section.optional(OptionReader.referable(word)),
  params: Section.withDefault(OptionReader.options, {})
}

const tool: ValueReader.ValueReader<ToolSettings> = (node: ConfigNode, key, context) => {
  if (node._tag === "Scalar" && typeof node.value === "string") {
    const name = OptionReader.referable(word)(node, key, context)
    return name === undefined ? undefined : { name, params: {} }
  }
  if (node._tag !== "Map") {
    const remedy = "write a name, or `{name: terminal, params: {...}}`"
    context.problems.error(node.position, key, `must be a tool, but is ${describe(node)}; ${remedy}`)
    return undefined
  }
  const section = { name: key, position: node.position, map: node }
  const { name, params } = Section.readSection(section, toolFields, context)
  if (name !== null) return { name, params }
  if (entryOf(node, "name") === null) {
    context.problems.error(node.position, `${key}.name`, "is missing; write the name of a tool, such as terminal")
  }
  return undefined
}

const condenserFields = {
  enabled: Section.withDefault(ValueReader.flag, true),
  max_size: Section.withDefault(ValueReader.positiveInteger, 240),
  keep_first: Section.withDefault(ValueReader.naturalNumber, 2),
  max_tokens: Section.optional(ValueReader.positiveInteger)
}

/** The server refuses a condenser that has no room between the beginning and what it keeps of the end. */
const leavesRoom = (maxSize: number, keepFirst: number): boolean => Math.floor(maxSize / 2) - keepFirst - 1 > 0

const readCondenser = (agent: Section.Section, isPlain: boolean, context: ReadContext): CondenserSettings | null => {
  const section = Section.sectionOf(agent, "condenser", context)
  const values = Section.readSection(section, condenserFields, context)
  if (!values.enabled || (!isPlain && entryOf(agent.map, "condenser") === null)) return null
  if (!leavesRoom(values.max_size, values.keep_first)) {
    const entry = entryOf(section.map, "keep_first") ?? entryOf(section.map, "max_size")
    const message = `must be below half of max_size (${values.max_size}) less one; lower it, or raise max_size`
    context.problems.error(entry?.value.position ?? section.position, Section.keyOf(section, "keep_first"), message)
  }
  return { maxSize: values.max_size, keepFirst: values.keep_first, maxTokens: values.max_tokens }
}

const fields = {
  kind: Section.withDefault(word, plainKind),
  tools: Section.optional(ValueReader.listOf(tool, "[terminal, {name: file_editor}]")),
  include_default_tools: Section.optional(ValueReader.listOf(OptionReader.referable(word), "[FinishTool, ThinkTool]"))
}

export const read = (conversation: Section.Section, context: ReadContext): OpenHandsAgentSettings => {
  const section = Section.sectionOf(conversation, "agent", context)
  const known = [...Object.keys(fields), "llm", "condenser", "options", ...agentFields]
  Section.reportUnknownKeys(section, known, [], context)
  const values = Section.readFields(section, fields, context)
  const isPlain = values.kind === plainKind
  return {
    kind: values.kind,
    llm: LlmSection.read(section, context),
    condenser: readCondenser(section, isPlain, context),
    tools: values.tools ?? (isPlain ? defaultTools : []),
    includeDefaultTools: values.include_default_tools,
    options: OptionReader.passedOn(section, agentFields, context)
  }
}
