/** Reads one section of the front matter by a table of its fields: values, defaults, and keys that nobody knows. */
import { emptyMap, entryOf, type ConfigMap } from "./ConfigNode.ts"
import { nearestName } from "./NearestName.ts"
import * as SourcePosition from "./SourcePosition.ts"
import type { ReadContext, ValueReader } from "./ValueReader.ts"

/** How to read one key of a section, and what holds without it. */
export interface Field<A> {
  readonly read: ValueReader<A>
  readonly fallback: A
}

export const withDefault = <A>(read: ValueReader<A>, fallback: NoInfer<A>): Field<A> => ({ read, fallback })

export const optional = <A>(read: ValueReader<A>): Field<A | null> => ({ read, fallback: null })

export interface Fields {
  readonly [key: string]: Field<unknown>
}

export type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer A> ? A : never }

export interface Section {
  /** Full name, such as `tracker.provider`. */
  readonly name: string
  /** Where the section begins; the start of the file when it is missing. */
  readonly position: SourcePosition.SourcePosition
  readonly map: ConfigMap
}

/** The front matter as a whole. */
export const rootSection = (map: ConfigMap): Section => ({ name: "", position: SourcePosition.start, map })

/** The full name of a key. */
export const keyOf = (section: Section, key: string): string => (section.name === "" ? key : `${section.name}.${key}`)

/** The section under that key, empty when it is missing or, after an error, when it is no map. */
export const sectionOf = (parent: Section, key: string, context: ReadContext): Section => {
  const name = keyOf(parent, key)
  const entry = entryOf(parent.map, key)
  const position = entry?.keyPosition ?? parent.position
  if (entry === null) return { name, position, map: emptyMap(position) }
  if (entry.value._tag === "Map") return { name, position, map: entry.value }
  context.problems.error(entry.value.position, name, "must be a section; put its keys, indented, on lines of their own")
  return { name, position, map: emptyMap(position) }
}

/** Warns about every key in neither list; only those in `known` are suggested instead. */
export const reportUnknownKeys = (
  section: Section,
  known: ReadonlyArray<string>,
  accepted: ReadonlyArray<string>,
  context: ReadContext
): void => {
  for (const [key, { keyPosition }] of section.map.entries) {
    if (known.includes(key) || accepted.includes(key)) continue
    const nearest = nearestName(key, known)
    const remedy = nearest === null ? `known here: ${known.join(", ")}` : `did you mean ${nearest}?`
    context.problems.warning(keyPosition, keyOf(section, key), `unknown key, ignored; ${remedy}`)
  }
}

/** The values of the fields. A bad value is reported and its default stands in, so that reading goes on. */
export const readFields = <F extends Fields>(section: Section, fields: F, context: ReadContext): Values<F> => {
  const values = Object.entries(fields).map(([key, field]) => {
    const entry = entryOf(section.map, key)
    const value = entry === null ? undefined : field.read(entry.value, keyOf(section, key), context)
    return [key, value ?? field.fallback]
  })
  // Object.fromEntries forgets which key has which type; the table above is where they come from.
  return Object.fromEntries(values) as Values<F>
}

/** A section that has these fields and no others. */
export const readSection = <F extends Fields>(section: Section, fields: F, context: ReadContext): Values<F> => {
  reportUnknownKeys(section, Object.keys(fields), [], context)
  return readFields(section, fields, context)
}
