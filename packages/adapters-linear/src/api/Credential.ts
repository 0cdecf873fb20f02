/** Whether an endpoint and a key can be used at all, before anything is sent; and a name for them that tells nothing. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Digest from "effect/crypto/Digest"
import { LinearConfigurationError } from "../LinearError.ts"

export interface Credential {
  readonly endpoint: string
  readonly apiKey: Redacted.Redacted
  /** Equal for the same key at the same endpoint; a digest, so that it may be shown. */
  readonly fingerprint: string
}

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"])

const invalid = (message: string) => Effect.fail(new LinearConfigurationError({ message }))

const checkedEndpoint = (endpoint: string): Effect.Effect<string, LinearConfigurationError> => {
  const url = URL.parse(endpoint.trim())
  if (url === null) return invalid("tracker.endpoint is no web address; write it in full, or remove the line")
  if (url.username !== "" || url.password !== "") {
    return invalid("tracker.endpoint contains a user name or password; remove it, the key stands in tracker.api_key")
  }
  if (url.protocol === "https:" || (url.protocol === "http:" && loopbackHosts.has(url.hostname))) {
    return Effect.succeed(url.href)
  }
  return invalid(
    `tracker.endpoint is ${url.protocol}//${url.host}, where others could read the key; use https (http works on this machine only: localhost, 127.0.0.1, [::1])`
  )
}

const checkedKey = (apiKey: Redacted.Redacted): Effect.Effect<string, LinearConfigurationError> => {
  const key = Redacted.value(apiKey).trim()
  if (key === "") return invalid("tracker.api_key is empty; create a personal API key in Linear's settings")
  if (!/^[\x21-\x7e]+$/.test(key)) {
    return invalid(
      "tracker.api_key contains a blank, a line break or another character that no key has; copy the key again, alone"
    )
  }
  return /^bearer$/i.test(key)
    ? invalid("tracker.api_key is only the word Bearer; write the key itself")
    : Effect.succeed(key)
}

const encoder = new TextEncoder()

const digest = (text: string): Effect.Effect<string> =>
  Effect.flatMap(Digest.Digest, (service) => service.digest(Digest.sha256, encoder.encode(text))).pipe(
    Effect.provide(Digest.layerWebCrypto),
    Effect.map((bytes) => Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(""))
  )

/** The credential, checked; the error never repeats the key. */
export const make = Effect.fnUntraced(function* (options: {
  readonly endpoint: string
  readonly apiKey: Redacted.Redacted
}): Effect.fn.Return<Credential, LinearConfigurationError> {
  const endpoint = yield* checkedEndpoint(options.endpoint)
  const key = yield* checkedKey(options.apiKey)
  return {
    endpoint,
    apiKey: Redacted.make(key, { label: "tracker.api_key" }),
    fingerprint: yield* digest(`${endpoint}\n${key}`)
  }
})
