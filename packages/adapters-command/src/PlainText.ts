/** What a program wrote, as one line that is safe to show: no control characters, no terminal sequences, bounded. */
import { firstCharacters } from "@opensymphony/adapters-fs/process/OutputTail"

// Escape sequences as ECMA-48 builds them: commands (CSI), strings that end with BEL or ST (OSC and its kin), the rest.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const escapeSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-~])/g
const spaces = /[\s\u0085]+/g
// Direction overrides can make a line read as something else than it is.
const invisible = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** At most `maxLength` UTF-16 units; a text that was cut ends with an ellipsis. */
export const oneLine = (text: string, maxLength: number): string => {
  // What is invisible must not cost more than a look at a few times the bound.
  const line = firstCharacters(text, maxLength * 4)
    .replace(escapeSequences, "")
    .replace(spaces, " ")
    .replace(invisible, "")
    .trim()
  return line.length <= maxLength ? line : `${firstCharacters(line, maxLength - 1)}…`
}
