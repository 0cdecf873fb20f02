/** `openhands.websocket`: how events are received. */
import { entryOf } from "../ConfigNode.ts"
import { authModes, type WebSocketSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as OptionReader from "./OptionReader.ts"

const parameterName: ValueReader.ValueReader<string> = (node, key, context) => {
  const value = ValueReader.text(node, key, context)?.trim()
  if (value === undefined || /^[A-Za-z0-9_.~-]+$/.test(value)) return value
  context.problems.error(node.position, key, "is no name for a query parameter; use letters, digits, _ and -")
  return undefined
}

const fields = {
  enabled: Section.withDefault(ValueReader.flag, true),
  ready_timeout_ms: Section.withDefault(ValueReader.positiveInteger, 30_000),
  reconnect_initial_ms: Section.withDefault(ValueReader.positiveInteger, 1_000),
  reconnect_max_ms: Section.withDefault(ValueReader.positiveInteger, 30_000),
  auth_mode: Section.withDefault(OptionReader.referable(ValueReader.oneOf(authModes)), "auto"),
  query_param_name: Section.withDefault(OptionReader.referable(parameterName), "session_api_key")
}

export const read = (openhands: Section.Section, hasKey: boolean, context: ReadContext): WebSocketSettings => {
  const section = Section.sectionOf(openhands, "websocket", context)
  const values = Section.readSection(section, fields, context)
  const mode = entryOf(section.map, "auth_mode")
  if (mode !== null && values.auth_mode !== "auto" && !hasKey) {
    const message = "needs a key to send; add openhands.transport.session_api_key_env, or write auto"
    context.problems.error(mode.value.position, Section.keyOf(section, "auth_mode"), message)
  }
  if (values.reconnect_max_ms < values.reconnect_initial_ms) {
    const entry = entryOf(section.map, "reconnect_max_ms") ?? entryOf(section.map, "reconnect_initial_ms")
    const message = `is below reconnect_initial_ms (${values.reconnect_initial_ms}); raise it, or lower the other`
    context.problems.error(
      entry?.value.position ?? section.position,
      Section.keyOf(section, "reconnect_max_ms"),
      message
    )
  }
  return {
    enabled: values.enabled,
    readyTimeoutMs: values.ready_timeout_ms,
    reconnectInitialMs: values.reconnect_initial_ms,
    reconnectMaxMs: values.reconnect_max_ms,
    authMode: values.auth_mode,
    queryParamName: values.query_param_name
  }
}
