export * as CallLog from "./CallLog.ts"
export * as MemoryRuntime from "./MemoryRuntime.ts"
export * as MemoryTracker from "./MemoryTracker.ts"
export * as MemoryWorkers from "./MemoryWorkers.ts"
export * as MemoryWorkspaces from "./MemoryWorkspaces.ts"
export * as Script from "./Script.ts"
export * as MemoryRunStore from "../orchestrator/MemoryRunStore.ts"
export * as VirtualTime from "./VirtualTime.ts"
export * as AgentPlay from "./conformance/AgentPlay.ts"
export { type ConformanceCase, RuleBroken } from "./conformance/ConformanceCase.ts"
export { type RunStoreScene, runStoreSuite, type RunStoreSubject } from "./conformance/RunStoreSuite.ts"
export {
  type RuntimeCondition,
  type RuntimeScene,
  runtimeSuite,
  type RuntimeSubject
} from "./conformance/RuntimeSuite.ts"
export {
  type IssueDraft,
  type TrackerScene,
  type TrackerStates,
  trackerSuite,
  type TrackerSubject
} from "./conformance/TrackerSuite.ts"
export { type WorkerPlan, type WorkerScene, workerSuite, type WorkerSubject } from "./conformance/WorkerSuite.ts"
export type { WorkspaceScene, WorkspaceSubject } from "./conformance/WorkspaceScene.ts"
export { workspaceSuite } from "./conformance/WorkspaceSuite.ts"
export * as Simulation from "./simulator/Simulation.ts"
export * as SimulationChecker from "./simulator/Checker.ts"
export * as SimulationFailure from "./simulator/Failure.ts"
export * as SimulationMarks from "./simulator/Marks.ts"
export * as SimulationProfile from "./simulator/Profile.ts"
export * as SimulationTrace from "./simulator/Trace.ts"
