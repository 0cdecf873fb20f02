/** What is written down about a server that was started, so that the next orchestrator can take it over or end it. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Endpoint } from "./AgentServer.ts"

const ProcessIdentity = Schema.Struct({ pid: Schema.Int, startTime: Schema.String })

export const ServerRecord = Schema.Struct({
  version: Schema.Literal(1),
  /** Leader of the server's process group. */
  pid: Schema.Int,
  startTime: Schema.String,
  host: Schema.String,
  port: Schema.Int,
  /** Opens this server only, and is gone with it. */
  sessionKey: Schema.String,
  /** In the environment of everything that this server started. */
  marker: Schema.String,
  /** Equal for servers that were started from the same settings. */
  fingerprint: Schema.String,
  /** Who ends it. */
  owner: ProcessIdentity,
  /** Tells supervisors of one process apart. */
  supervisor: Schema.String,
  /** RFC 3339. */
  since: Schema.String
})
export type ServerRecord = typeof ServerRecord.Type

export const baseUrlOf = (host: string, port: number): string => `http://${host}:${port}`

/** How to reach the server that a record names. Its key travels in a header: in an address it would get into logs. */
export const endpointOf = ({ host, port, sessionKey }: ServerRecord): Endpoint => ({
  baseUrl: baseUrlOf(host, port),
  sessionKey: Redacted.make(sessionKey, { label: "session key" }),
  authMode: "header",
  queryParamName: "session_api_key"
})
