/** Places in a text file as people and editors count them. */

export interface SourcePosition {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 code units; a byte order mark does not count. */
  readonly column: number
}

export const start: SourcePosition = { line: 1, column: 1 }

export const compare = (self: SourcePosition, that: SourcePosition): number =>
  self.line - that.line || self.column - that.column

const lineStarts = (text: string): ReadonlyArray<number> => {
  const starts = [0]
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1)
  return starts
}

/** Translates offsets into `text`, an excerpt that begins at `origin` of its file, to places in that file. */
export const locator = (text: string, origin: SourcePosition = start): ((offset: number) => SourcePosition) => {
  const starts = lineStarts(text)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    const column = Math.max(0, offset - (starts[low] ?? 0)) + 1
    return { line: origin.line + low, column: low === 0 ? origin.column + column - 1 : column }
  }
}
