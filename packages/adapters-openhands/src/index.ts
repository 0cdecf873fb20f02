/** The runtime on the OpenHands agent-server, and the supervisor of a local one. */
export * as AgentServer from "./server/AgentServer.ts"
export * as OpenHandsRuntime from "./OpenHandsRuntime.ts"
export * as ServerVersion from "./client/ServerVersion.ts"
