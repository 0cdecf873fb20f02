/**
 * The names of workspace directories: readable where the identifier allows it, always a single safe path segment, and
 * different for different identifiers.
 */
import * as Effect from "effect/Effect"
import * as Sha256 from "./Sha256.ts"

/** Longest part of a key that comes from the identifier itself. */
export const maxLength = 100

export interface WorkspaceKey {
  /** The directory to use. */
  readonly preferred: string
  /** The directory to use where the preferred one belongs to another issue; may be the same. */
  readonly distinct: string
}

const unsafeCharacter = /[^A-Za-z0-9._-]/gu

/** The keys for an identifier: see "Workspaces" in the contracts for the rule. */
export const make = (identifier: string): Effect.Effect<WorkspaceKey> =>
  Effect.map(Sha256.hex(identifier), (digest) => {
    const safe = identifier.replace(unsafeCharacter, "_")
    const distinct = `${safe.slice(0, maxLength)}-${digest.slice(0, 16)}`
    const isPlain = safe === identifier && safe !== "" && !safe.startsWith(".") && safe.length <= maxLength
    return { preferred: isPlain ? safe : distinct, distinct }
  })

/** Whether a name can be a key: a single path segment that is not one of the names with a meaning. */
export const isKey = (name: string): boolean =>
  /^[A-Za-z0-9._-]+$/.test(name) && name !== "." && name !== ".." && name.toLowerCase() !== ".opensymphony"
