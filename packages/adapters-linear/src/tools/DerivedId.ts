/**
 * Ids that this process chooses for what it creates in Linear. The same words give the same id, so a request that is
 * repeated after its answer was lost cannot create a second thing.
 */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"

const encoder = new TextEncoder()

/** A UUID with the form of version 4, which is what Linear accepts, derived from the words in their order. */
export const derive = (...words: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.flatMap(Digest.Digest, (service) =>
    service.digest(Digest.sha256, encoder.encode(JSON.stringify(["opensymphony", ...words])))
  ).pipe(
    Effect.provide(Digest.layerWebCrypto),
    Effect.map((digest) => {
      const hex = Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")
      const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
      return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        `${variant}${hex.slice(17, 20)}`,
        hex.slice(20, 32)
      ].join("-")
    })
  )
