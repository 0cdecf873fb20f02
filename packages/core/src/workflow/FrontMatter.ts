/**
 * Splits a WORKFLOW.md into its front matter and its prompt, without looking into either. Byte order mark and CRLF are
 * fine; the front matter begins on the first line or does not exist.
 */
import * as SourcePosition from "./SourcePosition.ts"

export interface Part {
  readonly text: string
  /** Where the first character of `text` stands in the file. */
  readonly position: SourcePosition.SourcePosition
}

export interface WorkflowParts {
  /** The YAML between the delimiters; null when the file has no front matter. */
  readonly frontMatter: Part | null
  /** Trimmed, with LF line ends. */
  readonly prompt: Part
}

const byteOrderMark = "\u{FEFF}"

/** Blanks behind the dashes are invisible, so they make no difference. */
const isDelimiter = (line: string): boolean => /^---[ \t]*$/.test(line)

const promptPart = (lines: ReadonlyArray<string>, firstLine: number): Part => {
  const text = lines.join("\n")
  const leading = text.length - text.trimStart().length
  const locate = SourcePosition.locator(text, { line: firstLine, column: 1 })
  return { text: text.trim(), position: locate(leading) }
}

/** The two parts, or null when the front matter is opened and never closed. */
export const split = (file: string): WorkflowParts | null => {
  const text = file.startsWith(byteOrderMark) ? file.slice(byteOrderMark.length) : file
  const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line))
  if (!isDelimiter(lines[0] ?? "")) return { frontMatter: null, prompt: promptPart(lines, 1) }
  const closing = lines.findIndex((line, index) => index > 0 && isDelimiter(line))
  if (closing === -1) return null
  return {
    frontMatter: { text: lines.slice(1, closing).join("\n"), position: { line: 2, column: 1 } },
    prompt: promptPart(lines.slice(closing + 1), closing + 2)
  }
}
