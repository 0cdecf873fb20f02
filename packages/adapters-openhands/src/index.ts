/** The runtime on the OpenHands agent-server, and the supervisor of a local one. */
export * as AgentServer from "./server/AgentServer.ts"
export * as Installation from "./server/Installation.ts"
export * as LocalServer from "./server/LocalServer.ts"
export * as OpenHandsRuntime from "./OpenHandsRuntime.ts"
export * as Pin from "./server/Pin.ts"
export * as RemoteServer from "./server/RemoteServer.ts"
export * as ServerVersion from "./client/ServerVersion.ts"
export * as SharedServers from "./server/SharedServers.ts"
