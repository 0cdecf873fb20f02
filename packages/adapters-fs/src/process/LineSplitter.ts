/** Cuts a text that comes in pieces into lines, with a bound on the length of a line: the rest of a longer one is lost. */
import { firstCharacters } from "./OutputTail.ts"

export interface LineSplitter {
  /** The lines that `text` completes, without their `\n` or `\r\n`. */
  readonly push: (text: string) => ReadonlyArray<string>
  /** The line that the end of the text completes, if it did not end with a line break. */
  readonly end: () => ReadonlyArray<string>
}

/** Lines of at most `maxLength` UTF-16 units. */
export const make = (maxLength: number): LineSplitter => {
  let pending = ""

  const keep = (text: string) => {
    // One unit more than the bound stays, so that the `\r` of a line that just fits is not taken for its last character.
    if (pending.length <= maxLength) pending += text.slice(0, maxLength + 1 - pending.length)
  }
  const complete = (): string => {
    const line = firstCharacters(pending.endsWith("\r") ? pending.slice(0, -1) : pending, maxLength)
    pending = ""
    return line
  }

  return {
    push: (text) => {
      const lines: Array<string> = []
      let from = 0
      for (let to = text.indexOf("\n"); to !== -1; to = text.indexOf("\n", from)) {
        keep(text.slice(from, to))
        lines.push(complete())
        from = to + 1
      }
      keep(text.slice(from))
      return lines
    },
    end: () => (pending === "" ? [] : [complete()])
  }
}
