/**
 * The servers of one process: adapters that are opened for equal settings share one, which lives as long as any of them.
 * Without that, a reloaded workflow would end the server under the runs that go on with the workflow before it.
 */
import type { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import { AgentServer } from "./AgentServer.ts"
import * as LocalServer from "./LocalServer.ts"
import * as RemoteServer from "./RemoteServer.ts"

export interface SharedServers {
  /** The server for these settings, started or watched when nobody has it yet. */
  readonly layer: (options: LocalServer.LocalServerOptions) => Layer.Layer<AgentServer, RuntimeError>
}

/** What makes two servers different ones. */
const keyOf = ({ settings, stateDirectory }: LocalServer.LocalServerOptions): string =>
  JSON.stringify([stateDirectory, settings.transport, settings.localServer, settings.websocket])

/** Who has a server: while it lives, no server's words are shown without what this one keeps secret being taken out. */
type Caller = Pick<LocalServer.LocalServerOptions, "redact">

/** All servers end with the scope. */
export const make: Effect.Effect<SharedServers, never, LocalServer.LocalServerServices | Scope.Scope> = Effect.gen(
  function* () {
    const wanted = new Map<string, LocalServer.LocalServerOptions>()
    const callers = new Set<Caller>()
    const redact = (text: string) => [...callers].reduce((shown, caller) => caller.redact(shown), text)
    const enter = (given: Caller) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const caller = { redact: given.redact }
          callers.add(caller)
          return caller
        }),
        (caller) => Effect.sync(() => callers.delete(caller))
      )
    const servers = yield* RcMap.make({
      lookup: (key: string) => {
        const options = wanted.get(key)
        if (options === undefined) return Effect.die(new Error("a server was looked up that nobody asked for"))
        const shared = { ...options, redact }
        return options.settings.localServer.managed ? LocalServer.make(shared) : RemoteServer.make(shared)
      }
    })
    return {
      layer: (options) => {
        const key = keyOf(options)
        const take = Effect.suspend(() => {
          wanted.set(key, options)
          return RcMap.get(servers, key)
        })
        // Leaves after the server that it may be the last to have.
        return Layer.effect(AgentServer, Effect.andThen(enter(options), take))
      }
    }
  }
)
