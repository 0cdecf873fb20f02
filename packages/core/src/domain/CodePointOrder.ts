/** The order of identifiers in everything that is printed: by code point, the same on every machine. */

/**
 * UTF-16 puts surrogates, which stand for the code points above U+FFFF, before U+E000 to U+FFFF; here they come last,
 * as their code points do.
 */
const weight = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** Negative when `self` comes first, 0 when they are the same. */
export const compare = (self: string, that: string): number => {
  const length = Math.min(self.length, that.length)
  for (let index = 0; index < length; index++) {
    const [one, other] = [self.charCodeAt(index), that.charCodeAt(index)]
    if (one !== other) return weight(one) - weight(other)
  }
  return self.length - that.length
}
