/** The tracker on Linear, and the tools that an agent uses to write to its issue. */
export * as LinearApi from "./LinearApi.ts"
export * as LinearError from "./LinearError.ts"
export * as LinearProject from "./LinearProject.ts"
export * as LinearTracker from "./LinearTracker.ts"
