/** What Linear does to Markdown that it stores: a body read back is not byte for byte the one that was written. */

/** `- ` and `+ ` become `* `, bare links get angle brackets, blanks at line ends and around the text go; code stays as it is. */
export function normalize(markdown: string): string {
  let fence: string | null = null
  return markdown
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => {
      const mark = /^\s*(```|~~~)/.exec(line)?.[1]
      if (mark !== undefined) {
        if (fence === null) fence = mark
        else if (fence === mark) fence = null
        return line
      }
      if (fence !== null) return line
      return line
        .trimEnd()
        .replace(/^(\s*)[-+] /, "$1* ")
        .replaceAll(/(?<![<(["'`\]\w])https?:\/\/[^\s<>()`]+/g, "<$&>")
    })
    .join("\n")
    .trim()
}
