/** Which runtime a workflow asks for, and its settings. */
import { entryOf } from "./ConfigNode.ts"
import { nearestName } from "./NearestName.ts"
import * as OpenHandsSection from "./openhands/OpenHandsSection.ts"
import type { OpenHandsSettings } from "./OpenHandsSettings.ts"
import * as Section from "./Section.ts"
import * as ValueReader from "./ValueReader.ts"
import { runtimeKinds, type CommandSettings, type RuntimeKind } from "./Workflow.ts"

export interface RuntimeChoice {
  readonly kind: RuntimeKind
  readonly command: CommandSettings | null
  /** Null unless the runtime is `openhands`. */
  readonly openhands: OpenHandsSettings | null
}

/** Lines that a user can put into the front matter as they are. */
const linesToAdd: { readonly [Kind in RuntimeKind]: string } = {
  command: '`runtime: {kind: command}` and `command: {run: "your-agent --flags"}`',
  openhands: "`runtime: {kind: openhands}`"
}

const remedy = (kinds: ReadonlyArray<RuntimeKind>): string =>
  `there are: ${kinds.join(", ")}; add the lines ${kinds.map((kind) => linesToAdd[kind]).join(", or ")}`

const commandFields = {
  run: Section.optional(ValueReader.text),
  env: Section.withDefault(ValueReader.variableNames, [])
}

const isRuntimeKind = (kind: string): kind is RuntimeKind => runtimeKinds.some((known) => known === kind)

/** The kind that `runtime.kind` names, or the one whose section is there; null after an error. */
const kindOf = (
  root: Section.Section,
  kinds: ReadonlyArray<RuntimeKind>,
  context: ValueReader.ReadContext
): RuntimeKind | null => {
  const key = "runtime.kind"
  const section = Section.sectionOf(root, "runtime", context)
  const values = Section.readSection(section, { kind: Section.optional(ValueReader.text) }, context)
  const entry = entryOf(section.map, "kind")
  if (entry !== null) {
    const kind = values.kind?.trim().toLowerCase()
    if (kind === undefined) return null
    if (isRuntimeKind(kind) && kinds.includes(kind)) return kind
    const nearest = nearestName(kind, kinds)
    const meant = nearest === null ? "" : `did you mean ${nearest}? `
    const problem = `this build has no runtime ${JSON.stringify(kind)}`
    context.problems.error(entry.value.position, key, `${problem}; ${meant}${remedy(kinds)}`)
    return null
  }
  const codex = entryOf(root.map, "codex")
  if (codex !== null) {
    const problem = "is missing, and this build has no runtime for the codex section"
    context.problems.error(codex.keyPosition, key, `${problem}; ${remedy(kinds)}`)
    return null
  }
  const present = runtimeKinds.filter((kind) => entryOf(root.map, kind) !== null)
  if (present.length > 1) {
    const problem = `is missing, and there are sections for ${present.join(" and ")}`
    context.problems.error(section.position, key, `${problem}; say which one with \`runtime: {kind: ${present[0]}}\``)
    return null
  }
  const kind = present[0] ?? "openhands"
  if (kinds.includes(kind)) return kind
  const problem = present.length === 1 ? `this build has no runtime for the ${kind} section` : "is missing"
  const position = entryOf(root.map, kind)?.keyPosition ?? section.position
  context.problems.error(position, key, `${problem}; ${remedy(kinds)}`)
  return null
}

const readCommand = (root: Section.Section, context: ValueReader.ReadContext): CommandSettings | null => {
  const section = Section.sectionOf(root, "command", context)
  const { env, run } = Section.readSection(section, commandFields, context)
  if (entryOf(section.map, "run") === null) {
    context.problems.error(
      section.position,
      "command.run",
      "is missing; add the shell text that runs one turn of your agent"
    )
  }
  return run === null ? null : { run, env }
}

/** Null after an error. The sections of other runtimes are accepted as they are. */
export const read = (
  root: Section.Section,
  kinds: ReadonlyArray<RuntimeKind>,
  context: ValueReader.ReadContext
): RuntimeChoice | null => {
  const kind = kindOf(root, kinds, context)
  if (kind === null) return null
  const command = kind === "command" ? readCommand(root, context) : null
  if (kind === "command" && command === null) return null
  const openhands = kind === "openhands" ? OpenHandsSection.read(root, context) : null
  return { kind, command, openhands }
}
