/**
 * The server that conversations live on, however it comes to be there: {@link Endpoint} says where it is and how to get
 * in, health says whether it can be reached. What is said to it is the client's matter.
 */
import type { RuntimeError, RuntimeHealth } from "@opensymphony/core/ports/AgentRuntime"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"

export interface Endpoint {
  /** `http` or `https`, without a trailing slash. */
  readonly baseUrl: string
  /** Null: the server asks for none. */
  readonly sessionKey: Redacted.Redacted | null
  /** How a socket presents the key; REST always uses the header `X-Session-API-Key`. */
  readonly authMode: "header" | "query_param"
  readonly queryParamName: string
}

export interface AgentServerService {
  /**
   * Where the server is now. Waits until it is ready, at most about `startup_timeout_ms`; fails with `unavailable` set
   * when it is not by then. A server of ours that is started anew has the same address and key wherever its port is
   * still free; ask again when it cannot be reached.
   */
  readonly endpoint: Effect.Effect<Endpoint, RuntimeError>
  /** Emits the present health first, then every change; never ends. */
  readonly health: Stream.Stream<RuntimeHealth>
  /** Somebody could not reach the server: look at it now instead of at the next probe. Returns at once. */
  readonly reportUnreachable: Effect.Effect<void>
}

export class AgentServer extends Context.Service<AgentServer, AgentServerService>()(
  "@opensymphony/adapters-openhands/AgentServer"
) {}
