/** Looks into an event of an open protocol: what is not there, or is something else, is empty. */

export type Fields = { readonly [name: string]: unknown }

const none: Fields = {}

export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : none

export const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** The text parts of a message's content. */
export const contentText = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content.map((part) => textOf(fieldsOf(part)["text"])).join("")
}
