/**
 * The runs whose tools are open: each has a token of its own, which opens nothing else, and nothing once the run is
 * over. Calls that are at work when a run ends get a moment to finish.
 */
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { refusal, type ToolHost } from "./ToolHost.ts"

/** 256 bits. */
const tokenBytes = 32
/** What a call may still take once its run is over. */
const graceMs = 5000
/** How many calls of one run are at work at a time; more are refused, not queued. */
const maxCalls = 16

export interface LiveRuns {
  /** Opens the tools under a new token; they are closed with the scope. */
  readonly open: (host: ToolHost) => Effect.Effect<Redacted.Redacted, never, Scope.Scope>
  /** The tools that a token opens; null for one that opens none. Takes the same time whatever the token is. */
  readonly find: (token: string) => ToolHost | null
}

const encoder = new TextEncoder()

const toHex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

interface Gate {
  readonly host: ToolHost
  /** Lets no call in any more; completes when the last one is answered. */
  readonly close: Effect.Effect<void>
}

const gate = (host: ToolHost): Gate => {
  const ended = Deferred.makeUnsafe<void>()
  const idle = Deferred.makeUnsafe<void>()
  let isOpen = true
  let calls = 0
  const over = refusal("the run that these tools belong to is over; nothing was done, or it is not known to have been")
  return {
    host: {
      list: host.list,
      call: (name, input) =>
        Effect.suspend(() => {
          if (!isOpen) return Effect.succeed(over)
          if (calls >= maxCalls) {
            return Effect.succeed(
              refusal(`${maxCalls} calls are at work already; wait for their answers, then try again`)
            )
          }
          calls += 1
          return Effect.raceFirst(host.call(name, input), Effect.as(Deferred.await(ended), over)).pipe(
            Effect.ensuring(
              Effect.suspend(() => {
                calls -= 1
                return isOpen || calls > 0 ? Effect.void : Deferred.succeed(idle, undefined)
              })
            )
          )
        })
    },
    close: Effect.gen(function* () {
      isOpen = false
      if (calls > 0) yield* Effect.timeoutOption(Deferred.await(idle), graceMs)
      yield* Deferred.succeed(ended, undefined)
    })
  }
}

export const make = (): LiveRuns => {
  const open = new Map<string, { readonly token: Uint8Array; readonly host: ToolHost }>()
  return {
    open: (host) =>
      Effect.gen(function* () {
        const random = yield* SecureRandom.SecureRandom
        const token = toHex(yield* random.randomBytes(tokenBytes))
        const { close, host: guarded } = gate(host)
        yield* Effect.acquireRelease(
          Effect.sync(() => open.set(token, { token: encoder.encode(token), host: guarded })),
          () =>
            Effect.andThen(
              Effect.sync(() => open.delete(token)),
              close
            )
        )
        return Redacted.make(token, { label: "run token" })
      }).pipe(Effect.provide(SecureRandom.layerWebCrypto)),
    find: (given) => {
      const bytes = encoder.encode(given)
      let found: ToolHost | null = null
      for (const { host, token } of open.values()) {
        if (Mac.timingSafeEqual(token, bytes)) found = host
      }
      return found
    }
  }
}
