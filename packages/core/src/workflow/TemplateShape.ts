/** What a template may look up in a value, known before there is a value. */

export type TemplateShape =
  | { readonly _tag: "Anything" }
  /** Text, number, boolean or nil. */
  | { readonly _tag: "Single" }
  | { readonly _tag: "List"; readonly item: TemplateShape }
  | { readonly _tag: "Record"; readonly fields: { readonly [name: string]: TemplateShape } }

export const anything: TemplateShape = { _tag: "Anything" }

export const single: TemplateShape = { _tag: "Single" }

export const list = (item: TemplateShape): TemplateShape => ({ _tag: "List", item })

export const record = (fields: { readonly [name: string]: TemplateShape }): TemplateShape => ({
  _tag: "Record",
  fields
})

const recordOf = (names: ReadonlyArray<string>): TemplateShape =>
  record(Object.fromEntries(names.map((name) => [name, single])))

const loopNames = ["first", "index", "index0", "last", "length", "name", "rindex", "rindex0"]

/** What Liquid gives the body of a loop. */
export const loops: ReadonlyMap<string, TemplateShape> = new Map([
  ["forloop", recordOf(loopNames)],
  ["tablerowloop", recordOf([...loopNames, "cols", "row", "col", "col0", "col_first", "col_last"])]
])

/** What a loop over a value hands to its body. */
export const itemOf = (shape: TemplateShape): TemplateShape => (shape._tag === "List" ? shape.item : anything)

/** The names that can be looked up; null when anything can. */
export const membersOf = (shape: TemplateShape): ReadonlyArray<string> | null => {
  switch (shape._tag) {
    case "Anything":
      return null
    case "Single":
      return ["size"]
    case "List":
      return ["first", "last", "size"]
    case "Record":
      return Object.keys(shape.fields)
  }
}

/** What stands under a name or index; null when there is no such thing. */
export const memberOf = (shape: TemplateShape, segment: string | number): TemplateShape | null => {
  switch (shape._tag) {
    case "Anything":
      return anything
    case "Single":
      return segment === "size" || typeof segment === "number" ? single : null
    case "List":
      if (segment === "size") return single
      return typeof segment === "number" || segment === "first" || segment === "last" ? shape.item : null
    case "Record":
      return typeof segment === "string" && Object.hasOwn(shape.fields, segment)
        ? (shape.fields[segment] ?? null)
        : null
  }
}
