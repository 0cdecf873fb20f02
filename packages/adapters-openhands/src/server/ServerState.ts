/** Whether a server can be used just now, for those who wait for it and those who watch. */
import { RuntimeError, RuntimeHealth } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { AgentServerService, Endpoint } from "./AgentServer.ts"

interface Up {
  readonly _tag: "Up"
  readonly endpoint: Endpoint
}

type State = Up | { readonly _tag: "Down"; readonly reason: string }

const isUp = (state: State): state is Up => state._tag === "Up"

export interface ServerState extends Pick<AgentServerService, "endpoint" | "health"> {
  readonly up: (endpoint: Endpoint) => Effect.Effect<void>
  /** `reason`: one line for people, what happened and what follows. */
  readonly down: (reason: string) => Effect.Effect<void>
}

const healthOf = (state: State): RuntimeHealth =>
  state._tag === "Up" ? RuntimeHealth.Up() : RuntimeHealth.Down({ reason: state.reason })

const isSameHealth = (self: RuntimeHealth, that: RuntimeHealth): boolean =>
  self._tag === "Down" && that._tag === "Down" ? self.reason === that.reason : self._tag === that._tag

const unavailable = (state: State): RuntimeError =>
  new RuntimeError({
    message: state._tag === "Down" ? state.reason : "the OpenHands agent-server went away at this moment; try again",
    unavailable: true
  })

/** A server that is down until somebody says otherwise; `endpoint` waits for it at most `waitMs`. */
export const make = Effect.fnUntraced(function* (reason: string, waitMs: number): Effect.fn.Return<ServerState> {
  const ref = yield* SubscriptionRef.make<State>({ _tag: "Down", reason })
  const firstUp = SubscriptionRef.changes(ref).pipe(Stream.filter(isUp), Stream.runHead)
  return {
    up: (endpoint) => SubscriptionRef.set(ref, { _tag: "Up", endpoint }),
    down: (reason) => SubscriptionRef.set(ref, { _tag: "Down", reason }),
    endpoint: firstUp.pipe(
      Effect.timeoutOption(waitMs),
      Effect.map(Option.flatten),
      Effect.flatMap(
        Option.match({
          onNone: () => Effect.flatMap(SubscriptionRef.get(ref), (state) => Effect.fail(unavailable(state))),
          onSome: ({ endpoint }) => Effect.succeed(endpoint)
        })
      )
    ),
    health: SubscriptionRef.changes(ref).pipe(Stream.map(healthOf), Stream.changesWith(isSameHealth))
  }
})
