/** SHA-256 on the platform's own implementation, for texts and for byte streams of any length. */
import * as Effect from "effect/Effect"
import * as Digest from "effect/crypto/Digest"

const encoder = new TextEncoder()

const digest = (data: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.flatMap(Digest.Digest, (service) => service.digest(Digest.sha256, data)).pipe(
    Effect.provide(Digest.layerWebCrypto)
  )

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The digest of the UTF-8 bytes of `text`, as 64 lower-case hex digits. */
export const hex = (text: string): Effect.Effect<string> => Effect.map(digest(encoder.encode(text)), toHex)

/** A digest that grows with every piece. It depends on how the bytes are cut, so cut them always the same way. */
export interface Chain {
  readonly append: (piece: Uint8Array) => Effect.Effect<void>
  readonly hex: Effect.Effect<string>
}

/** An empty chain: each link is the digest of the link before it and the next piece. */
export const chain = (): Chain => {
  let link: Uint8Array = new Uint8Array(32)
  return {
    append: (piece) =>
      Effect.suspend(() => {
        const data = new Uint8Array(link.length + piece.length)
        data.set(link)
        data.set(piece, link.length)
        return Effect.map(digest(data), (next) => {
          link = next
        })
      }),
    hex: Effect.sync(() => toHex(link))
  }
}
