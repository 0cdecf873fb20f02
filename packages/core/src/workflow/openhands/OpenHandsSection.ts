/** Reads the `openhands` section. Every key that is wrong or unknown is reported; what is read are names of secrets only. */
import type { OpenHandsSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as ConversationSection from "./ConversationSection.ts"
import * as LocalServerSection from "./LocalServerSection.ts"
import * as McpSection from "./McpSection.ts"
import * as TransportSection from "./TransportSection.ts"
import * as WebSocketSection from "./WebSocketSection.ts"

const sectionNames = ["transport", "local_server", "conversation", "websocket", "mcp"]

/** The settings; their defaults when the section is missing. After an error, defaults stand in for what is bad. */
export const read = (root: Section.Section, context: ReadContext): OpenHandsSettings => {
  const section = Section.sectionOf(root, "openhands", context)
  Section.reportUnknownKeys(section, sectionNames, [], context)
  const transport = TransportSection.read(section, context)
  const conversation = ConversationSection.read(section, context)
  const websocket = WebSocketSection.read(section, transport.hasKey, context)
  const localServer = LocalServerSection.read(section, transport, context)
  const mcp = McpSection.read(section, context)
  return {
    transport: TransportSection.completed(transport, localServer.managed),
    localServer,
    conversation,
    websocket,
    mcp
  }
}
