/**
 * Readers for what the `openhands` section has beside plain settings: values that may be `$NAME` wherever they stand,
 * names of variables that hold secrets, and options that are passed on to the server.
 */
import { describe, entryOf, toPlain, type ConfigMap, type ConfigNode } from "../ConfigNode.ts"
import * as EnvironmentReference from "../EnvironmentReference.ts"
import type { EnvironmentValue, EnvironmentValues, PlainOptions } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"

/** Lets a value be `$NAME`; the reader sees what the variable holds. */
export const referable =
  <A>(read: ValueReader.ValueReader<A>): ValueReader.ValueReader<A> =>
  (node, key, context) => {
    const isText = node._tag === "Scalar" && typeof node.value === "string"
    if (!isText) return read(node, key, context)
    const value = ValueReader.referableText(node, key, context)
    return value === undefined ? undefined : read({ ...node, value }, key, context)
  }

/** {@link ValueReader.oneOf} for names whose case counts. */
export const oneOfExactly =
  <const Choice extends string>(choices: ReadonlyArray<Choice>): ValueReader.ValueReader<Choice> =>
  (node, key, context) => {
    const given = ValueReader.text(node, key, context)?.trim()
    const choice = choices.find((candidate) => candidate === given)
    if (choice !== undefined || given === undefined) return choice
    const nearest = choices.find((candidate) => candidate.toLowerCase() === given.toLowerCase())
    const remedy = nearest === undefined ? "write one of them" : `did you mean ${nearest}?`
    context.problems.error(
      node.position,
      key,
      `must be one of ${choices.join(", ")}, but is ${describe(node)}; ${remedy}`
    )
    return undefined
  }

/** The name of a variable that is set; blank means none. */
export const secretName: ValueReader.ValueReader<string | null> = (node, key, context) => {
  if (node._tag === "Scalar" && typeof node.value === "string" && node.value.trim() === "") return null
  const name = ValueReader.variableName(node, key, context)
  if (name === undefined || EnvironmentReference.lookUp(context.environment, name) !== null) return name
  context.problems.error(node.position, key, EnvironmentReference.notSet(name))
  return undefined
}

/** Names whose values are credentials, in headers, environments and options. */
const credentialName =
  /(?:^|[-_])(?:api[-_]?key|access[-_]?key|secret[-_]?key|token|secret|passw(?:or)?d|authorization|credentials?|cookie)$/i

/** The last word of a name in camel case counts too: `apiKey`. */
const isCredentialName = (name: string): boolean =>
  credentialName.test(name) || credentialName.test(name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2"))

const isText = (node: ConfigNode): boolean =>
  node._tag === "Scalar" && typeof node.value === "string" && node.value.trim() !== ""

/** A value that stands in the file, or `$NAME`. What looks like a credential must be `$NAME`. */
const environmentValue = (
  node: ConfigNode,
  name: string,
  key: string,
  context: ReadContext
): EnvironmentValue | undefined => {
  if (node._tag !== "Scalar" || node.value === null) {
    const message =
      node._tag === "Scalar" ? "is empty; write a value or $NAME" : "must be text; write it behind the key"
    context.problems.error(node.position, key, message)
    return undefined
  }
  const text = String(node.value)
  const variable = EnvironmentReference.referencedName(text.trim())
  if (variable !== null) {
    if (EnvironmentReference.lookUp(context.environment, variable) !== null) return { kind: "variable", name: variable }
    context.problems.error(node.position, key, EnvironmentReference.notSet(variable))
    return undefined
  }
  if (!isCredentialName(name)) return { kind: "text", text }
  const message =
    "is a credential by its name and must not stand in this file; put it into the environment and write $NAME"
  context.problems.error(node.position, key, message)
  return undefined
}

/** A map of names to values, as {@link environmentValue} reads them. `accepts` judges the names. */
export const environmentValues =
  (accepts: RegExp, expected: string): ValueReader.ValueReader<EnvironmentValues> =>
  (node, key, context) => {
    if (node._tag !== "Map") {
      const remedy = "write `NAME: value` or `NAME: $VARIABLE` lines below it"
      context.problems.error(node.position, key, `must be a map, but is ${describe(node)}; ${remedy}`)
      return undefined
    }
    const values = [...node.entries].map(([name, entry]) => {
      const value = environmentValue(entry.value, name, `${key}.${name}`, context)
      if (accepts.test(name)) return [name, value] as const
      context.problems.error(entry.keyPosition, `${key}.${name}`, `is no ${expected}; write another name`)
      return [name, undefined] as const
    })
    const good = values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
    return good.length === values.length ? Object.fromEntries(good) : undefined
  }

/** Reports credentials among options, however deep they stand. */
const reportCredentials = (node: ConfigNode, key: string, context: ReadContext): void => {
  if (node._tag === "List") node.items.forEach((item, index) => reportCredentials(item, `${key}[${index}]`, context))
  if (node._tag !== "Map") return
  for (const [name, { value }] of node.entries) {
    const inner = `${key}.${name}`
    if (!isCredentialName(name) || !isText(value)) reportCredentials(value, inner, context)
    else {
      const message =
        "is a credential by its name and must not stand in this file; see docs/openhands.md for where it goes"
      context.problems.error(value.position, inner, message)
    }
  }
}

/** A map that is passed on as it stands. */
export const options: ValueReader.ValueReader<PlainOptions> = (node, key, context) => {
  if (node._tag !== "Map") {
    context.problems.error(node.position, key, `must be a map, but is ${describe(node)}; write \`name: value\` lines`)
    return undefined
  }
  reportCredentials(node, key, context)
  return Object.fromEntries([...node.entries].map(([name, { value }]) => [name, toPlain(value)]))
}

/**
 * What a section passes on to the server: the fields that stand in it by a name of `passed`, and everything in its
 * `options`, for fields that this program does not know.
 */
export const passedOn = (
  section: Section.Section,
  passed: ReadonlyArray<string>,
  context: ReadContext
): PlainOptions => {
  const own: ConfigMap = {
    ...section.map,
    entries: new Map([...section.map.entries].filter(([name]) => passed.includes(name)))
  }
  const explicit = entryOf(section.map, "options")
  const more = explicit === null ? {} : options(explicit.value, Section.keyOf(section, "options"), context)
  return { ...options(own, section.name, context), ...more }
}
