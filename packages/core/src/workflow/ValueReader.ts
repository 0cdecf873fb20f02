/**
 * Readers for single settings. A reader returns the typed value, or undefined after it reported why there is none, so
 * that one pass finds everything that is wrong.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { stateKey } from "../domain/Issue.ts"
import { describe, type ConfigNode } from "./ConfigNode.ts"
import * as EnvironmentReference from "./EnvironmentReference.ts"
import { nearestName } from "./NearestName.ts"
import type { Collector } from "./Problem.ts"

export interface ReadContext extends EnvironmentReference.PathContext {
  readonly problems: Collector
}

/** Reads the value of the setting `key` (its full name, for messages). Never called with an empty value. */
export type ValueReader<A> = (node: ConfigNode, key: string, context: ReadContext) => A | undefined

const number =
  (accepts: (value: number) => boolean, expected: string): ValueReader<number> =>
  (node, key, { problems }) => {
    if (node._tag === "Scalar" && typeof node.value === "number" && accepts(node.value)) return node.value
    problems.error(node.position, key, `must be ${expected}, but is ${describe(node)}; ${howToWriteNumbers(node)}`)
    return undefined
  }

const howToWriteNumbers = (node: ConfigNode): string => {
  const value = node._tag === "Scalar" ? node.value : null
  if (typeof value === "number") return "change it, or remove the line for the default"
  return typeof value === "string" && /^\s*[-+]?\d+\s*$/.test(value) ? "remove the quotes" : "write digits only"
}

/** Larger numbers are not exact. */
const isWhole = (value: number): boolean => Number.isSafeInteger(value)

export const positiveInteger = number((value) => isWhole(value) && value > 0, "a whole number above 0")

export const naturalNumber = number((value) => isWhole(value) && value >= 0, "a whole number, 0 or more")

export const integer = number(isWhole, "a whole number")

export const amount = number((value) => Number.isFinite(value) && value >= 0, "a number, 0 or more")

/** Text with something in it. Does not repeat the value in messages: it may be secret. */
export const text: ValueReader<string> = (node, key, { problems }) => {
  const value = node._tag === "Scalar" ? node.value : null
  if (typeof value === "string" && value.trim() !== "") return value
  const problem = typeof value === "string" ? "is blank; write something or remove the line" : "must be text"
  const remedy = node._tag === "Scalar" ? "; put the value in quotes" : ", not a map or a list; write it behind the key"
  problems.error(node.position, key, typeof value === "string" ? problem : problem + remedy)
  return undefined
}

/** Shell text; blank means none. */
export const script: ValueReader<string | null> = (node, key, context) =>
  node._tag === "Scalar" && typeof node.value === "string" && node.value.trim() === "" ? null : text(node, key, context)

export const oneOf =
  <const Choice extends string>(choices: ReadonlyArray<Choice>): ValueReader<Choice> =>
  (node, key, { problems }) => {
    const given = node._tag === "Scalar" ? String(node.value) : null
    const choice = choices.find((candidate) => candidate === given?.trim().toLowerCase())
    if (choice !== undefined) return choice
    const nearest = given === null ? null : nearestName(given, choices)
    const remedy = nearest === null ? "write one of them" : `did you mean ${nearest}?`
    problems.error(node.position, key, `must be one of ${choices.join(", ")}, but is ${describe(node)}; ${remedy}`)
    return undefined
  }

/** A list whose bad items are each reported; undefined when any is bad. */
export const listOf =
  <A>(item: ValueReader<A>, example: string): ValueReader<ReadonlyArray<A>> =>
  (node, key, context) => {
    if (node._tag !== "List") {
      context.problems.error(node.position, key, `must be a list, but is ${describe(node)}; write it as ${example}`)
      return undefined
    }
    const items = node.items.map((entry, index) => item(entry, `${key}[${index}]`, context))
    return items.every((value) => value !== undefined) ? items : undefined
  }

const trimmedName: ValueReader<string> = (node, key, context) => text(node, key, context)?.trim()

export const names = listOf(trimmedName, "[Todo, In Progress]")

/** A blank label is allowed, as in the Symphony specification: no issue has it. */
const label: ValueReader<string> = (node, key, context) =>
  node._tag === "Scalar" && node.value === "" ? "" : text(node, key, context)?.trim()

export const labels = listOf(label, "[ready]")

export const oneOrMoreNames: ValueReader<ReadonlyArray<string>> = (node, key, context) => {
  const found = names(node, key, context)
  if (found === undefined || found.length > 0) return found
  context.problems.error(node.position, key, "must name at least one; add one or remove the line for the default")
  return undefined
}

export const variableName: ValueReader<string> = (node, key, { problems }) => {
  const value = node._tag === "Scalar" ? node.value : null
  if (typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(value)) return value
  problems.error(node.position, key, "must be the name of an environment variable; write NAME, without $ and value")
  return undefined
}

export const variableNames = listOf(variableName, "[GITHUB_TOKEN]")

/** State name to limit; the states come back as keys. */
export const limitsByState: ValueReader<{ readonly [stateKey: string]: number }> = (node, key, context) => {
  if (node._tag !== "Map") {
    const remedy = "write `State: number` lines below it"
    context.problems.error(node.position, key, `must be a map of states, but is ${describe(node)}; ${remedy}`)
    return undefined
  }
  const limits = new Map<string, number>()
  for (const [name, { keyPosition, value }] of node.entries) {
    const state = stateKey(name)
    const limit = positiveInteger(value, `${key}.${name}`, context)
    if (state === "") context.problems.error(keyPosition, key, "names a blank state; write the name of a state")
    else if (limits.has(state)) context.problems.error(keyPosition, `${key}.${name}`, "is given twice; keep one")
    else if (limit !== undefined) limits.set(state, limit)
  }
  return Object.fromEntries(limits)
}

/** Text that may be `$NAME`. */
export const referableText: ValueReader<string> = (node, key, context) => {
  const value = text(node, key, context)
  const name = value === undefined ? null : EnvironmentReference.referencedName(value.trim())
  if (name === null) return value?.trim()
  const found = EnvironmentReference.lookUp(context.environment, name)
  if (found === null) context.problems.error(node.position, key, EnvironmentReference.notSet(name))
  return found?.trim()
}

export const secret: ValueReader<Redacted.Redacted> = (node, key, context) => {
  const value = referableText(node, key, context)
  return value === undefined ? undefined : Redacted.make(value, { label: key })
}

export const webAddress: ValueReader<string> = (node, key, context) => {
  const value = referableText(node, key, context)
  if (value === undefined || /^https?:\/\/[^\s/]+\S*$/i.test(value)) return value
  context.problems.error(node.position, key, "is no web address; write it in full, such as https://example.org/path")
  return undefined
}

export const flag: ValueReader<boolean> = (node, key, { problems }) => {
  if (node._tag === "Scalar" && typeof node.value === "boolean") return node.value
  problems.error(
    node.position,
    key,
    `must be true or false, but is ${describe(node)}; write one of them without quotes`
  )
  return undefined
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

const loopback = "127.0.0.1"
const highestPort = 65_535

/** `8080` on loopback, or `host:8080`; an IPv6 address stands in brackets. */
export const listenAddress: ValueReader<ListenAddress> = (node, key, { problems }) => {
  const value = node._tag === "Scalar" ? String(node.value).trim() : ""
  const match = /^(?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):)?(\d{1,5})$/.exec(value)
  const port = Number(match?.[2] ?? 0)
  if (match !== null && port > 0 && port <= highestPort) {
    return { host: match[1]?.replace(/^\[|\]$/g, "") ?? loopback, port }
  }
  const expected = `must be a port (1 to ${highestPort}) or host:port, but is ${describe(node)}`
  problems.error(node.position, key, `${expected}; write for example 8787, or 0.0.0.0:8787 in quotes`)
  return undefined
}

/** The path of a web address. */
export const webPath: ValueReader<string> = (node, key, context) => {
  const value = text(node, key, context)?.trim()
  if (value === undefined || /^\/[^\s?#]*$/.test(value)) return value
  context.problems.error(node.position, key, "must begin with / and have no blank, ? or #; write for example /linear")
  return undefined
}

/** A path: variables and home expanded, absolute, normalised. */
export const path: ValueReader<string> = (node, key, context) => {
  const value = text(node, key, context)
  if (value === undefined) return undefined
  const expanded = EnvironmentReference.expandPath(value, context)
  if (Result.isSuccess(expanded)) return expanded.success
  context.problems.error(node.position, key, expanded.failure)
  return undefined
}
