/** For programs that embed an orchestrator without Effect. */
export type { PlainIssue, PlainResult, PlainRuntime, PlainTracker, PlainTurn } from "./embedding/PlainAdapters.ts"
export { type OrchestratorHandle, startOrchestrator, type StartOptions } from "./embedding/StartOrchestrator.ts"
