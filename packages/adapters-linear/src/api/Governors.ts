/**
 * The governors of this process, one per credential and endpoint: adapters that are built anew after a reload, agents'
 * tools and checks spend the same budget. They are found by a digest and stay as long as the process; each is small.
 */
import * as Context from "effect/Context"
import type { Credential } from "./Credential.ts"
import * as Governor from "./Governor.ts"

export interface Governors {
  readonly of: (credential: Credential) => Governor.Governor
}

export const make = (): Governors => {
  const known = new Map<string, Governor.Governor>()
  return {
    of: ({ fingerprint }) => {
      const found = known.get(fingerprint) ?? Governor.make()
      known.set(fingerprint, found)
      return found
    }
  }
}

/** Those of the process; a test may provide its own. */
export const Governors = Context.Reference<Governors>("@opensymphony/adapters-linear/Governors", {
  defaultValue: make
})
