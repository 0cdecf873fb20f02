/** What of a foreign text may stand in a message: one line, bounded, without control characters. */

const longest = 300

/** Control characters and line breaks become blanks; a long text is cut and says so. */
export const safeText = (text: string): string => {
  const line = text
    .slice(0, 4 * longest)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
  return line.length > longest ? `${line.slice(0, longest).toWellFormed()}...` : line.toWellFormed()
}
