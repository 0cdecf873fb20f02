/** The tracker on Linear, and the tools that an agent uses to write to its issue. */
export * as LinearApi from "./LinearApi.ts"
export * as LinearError from "./LinearError.ts"
export * as LinearLabels from "./LinearLabels.ts"
export * as LinearProject from "./LinearProject.ts"
export * as LinearTools from "./tools/LinearTools.ts"
export * as LinearTracker from "./LinearTracker.ts"
export * as LinearWebhooks from "./webhooks/LinearWebhooks.ts"
export * as WatchedPolls from "./webhooks/WatchedPolls.ts"
