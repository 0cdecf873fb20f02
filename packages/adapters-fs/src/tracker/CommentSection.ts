/** Appends to the section `## Comments` of an issue file and leaves everything else as it is. */

export interface Comment {
  /** One line. */
  readonly author: string
  /** RFC 3339. */
  readonly time: string
  /** Markdown. */
  readonly text: string
}

const fenceOf = (line: string): string | null => /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? null

const closes = (line: string, fence: string): boolean => {
  const other = fenceOf(line)
  return other !== null && other.startsWith(fence) && line.trim() === other
}

/** The lines that are not part of a fenced block of code. A fence that is never closed fences nothing. */
const unfenced = (lines: ReadonlyArray<string>): ReadonlyArray<number> => {
  const indices: Array<number> = []
  const neverClosed = new Set<string>()
  for (let index = 0; index < lines.length; index++) {
    const fence = fenceOf(lines[index] ?? "")
    let end = lines.length
    if (fence !== null && !neverClosed.has(fence)) {
      end = index + 1
      while (end < lines.length && !closes(lines[end] ?? "", fence)) end++
      if (end === lines.length) neverClosed.add(fence)
    }
    if (end === lines.length) indices.push(index)
    else index = end
  }
  return indices
}

const sectionHeading = /^## +Comments *#* *$/i
const endOfSection = /^##? /

/** A comment must not end the section that it is in: its headings go below those of the section. */
const lowerHeadings = (text: string): string => {
  const lines = text.split("\n")
  for (const index of unfenced(lines)) {
    lines[index] = (lines[index] ?? "").replace(/^(#{1,6})(?=\s|$)/, (_, marks: string) =>
      "#".repeat(Math.min(6, marks.length + 3))
    )
  }
  return lines.join("\n")
}

const render = ({ author, text, time }: Comment): string =>
  `### ${author}, ${time}\n\n${lowerHeadings(text.replace(/\r\n?/g, "\n").replace(/^(?:[ \t]*\n)+|\s+$/g, ""))}\n`

/**
 * The text of a file with one more comment, at the end of its last section `## Comments`, which is made when there is
 * none. `bodyStart` is where the front matter ends. Line ends follow the file's first one.
 */
export const append = (text: string, bodyStart: number, comment: Comment): string => {
  const lineEnd = /\r?\n/.exec(text)?.[0] ?? "\n"
  const lines = text
    .slice(bodyStart)
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
  const outside = unfenced(lines)
  const heading = outside.findLast((index) => sectionHeading.test(lines[index] ?? ""))
  const next =
    heading === undefined
      ? undefined
      : outside.find((index) => index > heading && endOfSection.test(lines[index] ?? ""))

  const offsetOf = (line: number): number => {
    let offset = bodyStart
    for (let count = 0; count < line; count++) offset = text.indexOf("\n", offset) + 1
    return offset
  }
  const end = next === undefined ? text.length : offsetOf(next)
  const before = text.slice(0, end)
  const missingLineEnds = before.endsWith("\n") ? (/\n\r?\n$/.test(before) ? "" : "\n") : "\n\n"
  const title = heading === undefined ? "## Comments\n\n" : ""
  const after = next === undefined ? "" : "\n"
  const addition = `${missingLineEnds}${title}${render(comment)}${after}`.replaceAll("\n", lineEnd)
  return before + addition + text.slice(end)
}
