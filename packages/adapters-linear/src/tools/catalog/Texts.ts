/** The texts that tools take, and how much of one they show. */
import * as Schema from "effect/Schema"

/** Longer comments and descriptions are refused before Linear refuses them. */
export const maxTextLength = 100_000

/** Markdown with something in it. */
export const Markdown = Schema.String.check(
  Schema.isPattern(/\S/, { expected: "a text that is not empty" }),
  Schema.isMaxLength(maxTextLength)
)

/** One line of text. */
export const Line = Schema.String.check(
  Schema.isPattern(/^[^\r\n]*\S[^\r\n]*$/, { expected: "one line that is not empty" }),
  Schema.isMaxLength(500)
)

/** Parts of one answer that are left out are said to be. */
export const shorten = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length)}\n[... ${text.length - length} more characters]`
