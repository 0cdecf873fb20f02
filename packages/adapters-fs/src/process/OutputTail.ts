/** The end of a text that may be endless: keeps the newest characters up to a bound, never half a character. */

export interface OutputTail {
  readonly append: (text: string) => void
  readonly read: () => string
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/** The last `length` UTF-16 units of `text`, or one less where that would begin inside a character. */
export const lastCharacters = (text: string, length: number): string => {
  if (text.length <= length) return text
  const start = text.length - length
  return text.slice(isLowSurrogate(text.charCodeAt(start)) ? start + 1 : start)
}

/** The first `length` UTF-16 units of `text`, or one less where that would end inside a character. */
export const firstCharacters = (text: string, length: number): string => {
  if (text.length <= length) return text
  return text.slice(0, isLowSurrogate(text.charCodeAt(length)) ? length - 1 : length)
}

/** A tail of at most `length` UTF-16 units. */
export const make = (length: number): OutputTail => {
  let tail = ""
  return {
    append: (text) => {
      tail = lastCharacters(text.length >= length ? text : tail + text, length)
    },
    read: () => tail
  }
}
