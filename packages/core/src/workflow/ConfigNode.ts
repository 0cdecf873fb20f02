/** Settings as they stand in a file: values that know their place. How YAML becomes this is `YamlTree.ts`'s matter. */
import type { SourcePosition } from "./SourcePosition.ts"

export interface ConfigMap {
  readonly _tag: "Map"
  readonly position: SourcePosition
  readonly entries: ReadonlyMap<string, ConfigEntry>
}

export interface ConfigEntry {
  readonly keyPosition: SourcePosition
  readonly value: ConfigNode
}

export interface ConfigList {
  readonly _tag: "List"
  readonly position: SourcePosition
  readonly items: ReadonlyArray<ConfigNode>
}

export interface ConfigScalar {
  readonly _tag: "Scalar"
  readonly position: SourcePosition
  readonly value: string | number | boolean | null
}

export type ConfigNode = ConfigMap | ConfigList | ConfigScalar

export const emptyMap = (position: SourcePosition): ConfigMap => ({ _tag: "Map", position, entries: new Map() })

export const isNull = (node: ConfigNode): boolean => node._tag === "Scalar" && node.value === null

/** The entry of a key that has a value: `key:` with nothing behind it counts as not given. */
export const entryOf = (map: ConfigMap, key: string): ConfigEntry | null => {
  const entry = map.entries.get(key)
  return entry === undefined || isNull(entry.value) ? null : entry
}

/** The value without places, for somebody who decodes it further. */
export const toPlain = (node: ConfigNode): unknown => {
  switch (node._tag) {
    case "Scalar":
      return node.value
    case "List":
      return node.items.map(toPlain)
    case "Map":
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.value)]))
  }
}

const maxShown = 40

/** Names a bad value in a sentence. Not for values that may be secret. */
export const describe = (node: ConfigNode): string => {
  if (node._tag === "Map") return "a map"
  if (node._tag === "List") return "a list"
  if (node.value === null) return "empty"
  if (typeof node.value !== "string") return String(node.value)
  const shown = node.value.length > maxShown ? `${node.value.slice(0, maxShown).toWellFormed()}...` : node.value
  return `the text ${JSON.stringify(shown)}`
}
