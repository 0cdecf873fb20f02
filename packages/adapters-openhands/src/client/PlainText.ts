/** What a server or an agent wrote, as one line that is safe to show: no control characters, no terminal sequences. */
import { firstCharacters } from "@opensymphony/adapters-fs/process/OutputTail"

// Escape sequences as ECMA-48 builds them: commands (CSI), strings that end with BEL or ST (OSC and its kin), the rest.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[ -/]*[0-~])/g
const spaces = /[\s\u0085]+/g
// Direction overrides can make a line read as something else than it is.
const invisible = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A copy that does not keep the long text alive that it was cut from. */
const detached = (text: string): string => decoder.decode(encoder.encode(text))

/** The first `maxLength` UTF-16 units of a text, with its lines, on its own memory. */
export const beginning = (text: string, maxLength: number): string =>
  text.length <= maxLength ? text : detached(firstCharacters(text, maxLength))

/** One line of at most `maxLength` UTF-16 units; a text that was cut ends with an ellipsis. */
export const oneLine = (text: string, maxLength: number): string => {
  // What is invisible must not cost more than a look at a few times the bound.
  const line = beginning(text, maxLength * 4)
    .replace(escapes, "")
    .replace(spaces, " ")
    .replace(invisible, "")
    .trim()
  return line.length <= maxLength ? line : `${firstCharacters(line, maxLength - 1)}…`
}
