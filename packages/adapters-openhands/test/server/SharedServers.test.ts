import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { AgentServer } from "../../src/server/AgentServer.ts"
import * as SharedServers from "../../src/server/SharedServers.ts"
import { downWith, isAlive, newDirectory, optionsOf, platform, seenIn, text } from "./LocalServerFixture.ts"

const open = Effect.fnUntraced(function* (layer: ReturnType<SharedServers.SharedServers["layer"]>) {
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(layer, scope)
  return { server: Context.get(context, AgentServer), close: Scope.close(scope, Exit.void) }
})

describe("servers for equal settings", () => {
  it.live("are one, which lives as long as any of them", () =>
    Effect.gen(function* () {
      const servers = yield* SharedServers.make
      const options = optionsOf({ directory: newDirectory() })
      const first = yield* open(servers.layer(options))
      const { baseUrl } = yield* first.server.endpoint
      const { pid } = seenIn(options.stateDirectory)
      const second = yield* open(servers.layer({ ...options }))
      yield* first.close
      assert.strictEqual((yield* second.server.endpoint).baseUrl, baseUrl)
      assert.isTrue(isAlive(pid))
      yield* second.close
      assert.isFalse(isAlive(pid))
    }).pipe(Effect.provide(platform))
  )

  it.live("are quoted without what any of those who have them keeps secret", () =>
    Effect.gen(function* () {
      const servers = yield* SharedServers.make
      const options = optionsOf({ env: { FAKE: text("dies"), FAKE_TOKEN: text("known-to-one") } })
      const first = yield* open(servers.layer(options))
      yield* downWith(first.server, /the token known-to-one and/)
      const redact = (shown: string) => shown.replaceAll("known-to-one", "***")
      const second = yield* open(servers.layer({ ...options, redact }))
      yield* downWith(first.server, /the token \*\*\* and/)
      yield* first.close
      yield* second.close
    }).pipe(Effect.provide(platform))
  )
})
