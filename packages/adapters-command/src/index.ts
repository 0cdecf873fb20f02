/** The runtime on any command-line agent. */
export * as CommandRuntime from "./CommandRuntime.ts"
