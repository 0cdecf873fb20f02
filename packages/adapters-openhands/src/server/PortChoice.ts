/** Which port a local server gets, and whether somebody else has it. */
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import * as PortOwner from "./PortOwner.ts"
import { baseUrlOf } from "./ServerRecord.ts"
import * as ServerProbe from "./ServerProbe.ts"

/** Below what systems give to outgoing connections, which come and go. */
const lowest = 20_000
const highest = 32_000
const maxTries = 20
const answerMs = 1_000

const isFree = (host: string, port: number): Effect.Effect<boolean> =>
  ServerProbe.ask({ url: `${baseUrlOf(host, port)}/`, key: null, timeoutMs: answerMs }).pipe(
    Effect.map(({ _tag }) => _tag === "Refused")
  )

/**
 * A port where nobody listens now, `preferred` if it is one. Somebody may come before the server does: then its start
 * fails and is tried anew.
 */
export const free = Effect.fnUntraced(function* (
  host: string,
  preferred: number | null
): Effect.fn.Return<number, RuntimeError> {
  if (preferred !== null && (yield* isFree(host, preferred))) return preferred
  for (let tries = 0; tries < maxTries; tries++) {
    const port = yield* Random.nextIntBetween(lowest, highest)
    if (yield* isFree(host, port)) return port
  }
  const message = `no free port was found on ${host}; name one in openhands.transport.base_url`
  return yield* new RuntimeError({ message, unavailable: true })
})

/** Fails when somebody listens on the port that the workflow names, and says who. */
export const requireFree = Effect.fnUntraced(function* (
  host: string,
  port: number
): Effect.fn.Return<void, RuntimeError, FileSystem.FileSystem> {
  if (yield* isFree(host, port)) return
  const owner = yield* PortOwner.of(port)
  const version = yield* ServerProbe.versionAt(baseUrlOf(host, port), answerMs)
  const who = owner === null ? "a program of somebody else" : `process ${owner.pid} (${owner.name})`
  const what = version === null ? "" : `, an OpenHands agent-server ${version}`
  const use = version === null ? "" : "; to use that server as it is, set openhands.local_server.enabled to false"
  const message =
    `port ${port} of ${host}, which openhands.transport.base_url names, is in use by ${who}${what}, which opensymphony ` +
    `did not start; end it, or name no port, so that a free one is chosen${use}`
  return yield* new RuntimeError({ message, unavailable: true })
})
