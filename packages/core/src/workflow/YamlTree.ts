/**
 * Reads YAML into {@link ConfigNode}s. Guards against what a hostile or mistaken file can do: aliases that multiply,
 * nesting without end, keys given twice. Messages are our own, because the parser's quote the file, which may hold
 * secrets.
 */
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Node, type YAMLError, type YAMLMap } from "yaml"
import { emptyMap, type ConfigEntry, type ConfigMap, type ConfigNode, type ConfigScalar } from "./ConfigNode.ts"
import type { Part } from "./FrontMatter.ts"
import type { Collector } from "./Problem.ts"
import * as SourcePosition from "./SourcePosition.ts"

const maxDepth = 32
const maxValues = 10_000
const root = "front matter"

const explanations: { readonly [code: string]: string } = {
  BAD_ALIAS: "a name after & or * is not usable; use letters and digits",
  BAD_DQ_ESCAPE: "a backslash in double quotes begins no known escape; use single quotes or double the backslash",
  BAD_INDENT: "the indentation does not fit, or a bracket is not closed; align the keys of a section, close [ and {",
  BAD_SCALAR_START: "a value may not begin with this character; put the value in quotes",
  BLOCK_AS_IMPLICIT_KEY: "there are two `key:` on one line; put the value in quotes or the second key on its own line",
  BLOCK_IN_FLOW: "an indented block stands inside [ ] or { }; write it on one line or without the brackets",
  MISSING_CHAR: "something is missing here: a quote, bracket, comma, colon or the blank after a colon; add it",
  MULTILINE_IMPLICIT_KEY: "a key goes over several lines, or a line has no `key:`; put `key: value` on one line",
  MULTIPLE_DOCS: "a second YAML document begins here; keep one",
  NON_STRING_KEY: "a key must be plain text; put it in quotes",
  RESOURCE_EXHAUSTION: "is nested too deeply; make it flatter",
  TAB_AS_INDENT: "a tab is used for indentation; use blanks",
  TAG_RESOLVE_FAILED:
    "a YAML tag (a word that begins with !) does not apply here; remove it or put the value in quotes",
  UNEXPECTED_TOKEN: "is not valid YAML at this place; look for a missing quote, or put the value in quotes"
}

const explain = (error: YAMLError): string => explanations[error.code] ?? "is not valid YAML here; check the syntax"

interface Converted {
  readonly node: ConfigNode
  /** Values below and including this one, aliases counted as often as they are used. */
  readonly size: number
}

const converter = (locate: (offset: number) => SourcePosition.SourcePosition, problems: Collector) => {
  const anchors = new Map<string, Converted>()

  const scalar = (position: SourcePosition.SourcePosition, value: unknown): Converted => {
    const known = typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    const node: ConfigScalar = { _tag: "Scalar", position, value: known ? value : null }
    return { node, size: 1 }
  }

  const entries = (map: YAMLMap, position: SourcePosition.SourcePosition, path: string, depth: number): Converted => {
    const found = new Map<string, ConfigEntry>()
    let size = 1
    for (const pair of map.items) {
      const key: unknown = pair.key
      if (!isScalar(key)) {
        problems.error(position, path, explanations["NON_STRING_KEY"] ?? "")
        continue
      }
      const name = String(key.value ?? "")
      const keyPosition = locate(key.range?.[0] ?? 0)
      const keyPath = path === root ? name : `${path}.${name}`
      const earlier = found.get(name)
      if (earlier !== undefined) {
        problems.error(keyPosition, keyPath, `is given twice, first on line ${earlier.keyPosition.line}; keep one`)
        continue
      }
      const value = convert(pair.value as Node | null, keyPosition, keyPath, depth + 1)
      size += value.size
      found.set(name, { keyPosition, value: value.node })
    }
    return { node: { _tag: "Map", position, entries: found }, size }
  }

  const converted = (node: Node, position: SourcePosition.SourcePosition, path: string, depth: number): Converted => {
    if (isMap(node)) return entries(node, position, path, depth)
    if (isSeq(node)) {
      const items = node.items.map((item, index) => convert(item as Node, position, `${path}[${index}]`, depth + 1))
      const size = items.reduce((sum, item) => sum + item.size, 1)
      return { node: { _tag: "List", position, items: items.map((item) => item.node) }, size }
    }
    return scalar(position, isScalar(node) ? node.value : null)
  }

  /** `near` is the place to name when the value has none of its own. */
  const convert = (node: Node | null, near: SourcePosition.SourcePosition, path: string, depth: number): Converted => {
    if (node === null) return scalar(near, null)
    const position = node.range ? locate(node.range[0]) : near
    if (depth > maxDepth) {
      problems.error(position, path, `is nested deeper than ${maxDepth} levels; make it flatter`)
      return scalar(position, null)
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source)
      if (target !== undefined) return { node: { ...target.node, position }, size: target.size }
      problems.error(position, path, `the alias *${node.source} names nothing above it; define &${node.source} first`)
      return scalar(position, null)
    }
    const result = converted(node, position, path, depth)
    const anchor = "anchor" in node ? node.anchor : undefined
    if (anchor) anchors.set(anchor, result)
    return result
  }

  return convert
}

/** The settings in the front matter, or null after an error that leaves nothing to read was reported. */
export const read = (part: Part, problems: Collector): ConfigMap | null => {
  const locate = SourcePosition.locator(part.text, part.position)
  try {
    const options = { stringKeys: true, uniqueKeys: false, prettyErrors: false, resolveKnownTags: false } as const
    const document = parseDocument(part.text, { ...options, logLevel: "silent" })
    for (const error of document.errors) problems.error(locate(error.pos[0]), root, explain(error))
    for (const warning of document.warnings) problems.warning(locate(warning.pos[0]), root, explain(warning))
    if (document.errors.length > 0) return null
    const { node, size } = converter(locate, problems)(document.contents, part.position, root, 0)
    if (size > maxValues) {
      problems.error(part.position, root, `holds more than ${maxValues} values; look for YAML aliases that multiply`)
      return null
    }
    if (node._tag === "Map") return node
    if (node._tag === "Scalar" && node.value === null) return emptyMap(SourcePosition.start)
    problems.error(node.position, root, "must be a map of settings; write `key: value` lines")
    return null
  } catch {
    // The parser recurses without a limit of its own; a stack overflow is its way to say "too deep".
    problems.error(part.position, root, "cannot be read as YAML; make it smaller and flatter")
    return null
  }
}
