/** JSON values, and changes inside them. */

export type JsonValue = string | number | boolean | null | JsonArray | JsonObject
export type JsonArray = ReadonlyArray<JsonValue>
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** A copy in which `change` was asked about every object, from the inside out, with the name it has in its parent. */
export function mapObjects(
  value: JsonValue,
  change: (object: JsonObject, name: string | null) => JsonValue,
  name: string | null = null
): JsonValue {
  if (isArray(value)) return value.map((one) => mapObjects(one, change, name))
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, mapObjects(inner, change, key)] as const)
  return change(Object.fromEntries(entries), name)
}

export const isArray = (value: JsonValue): value is JsonArray => Array.isArray(value)

export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !isArray(value)
