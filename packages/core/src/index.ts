/**
 * The core of OpenSymphony: what programs that embed it, and adapters, build on. Modules of functions come as
 * namespaces; services, errors and plain types by their names. Doubles are in `@opensymphony/core/testing`.
 */
export * from "./domain/Ids.ts"
export * as Hold from "./domain/Hold.ts"
export * as Issue from "./domain/Issue.ts"
export * as Journal from "./domain/Journal.ts"
export * as Outcome from "./domain/Outcome.ts"
export * as Policy from "./domain/Policy.ts"
export * as Usage from "./domain/Usage.ts"
export type { PreparedRun, Run } from "./domain/Run.ts"
export type { RecoveredWorkspace, Workspace } from "./domain/Workspace.ts"

export * from "./ports/AgentRuntime.ts"
export * from "./ports/AgentTools.ts"
export * from "./ports/RunStore.ts"
export * from "./ports/TrackerBackend.ts"
export * from "./ports/WorkerBackend.ts"
export * from "./ports/WorkspaceBackend.ts"

export { parse as parseWorkflow, type ParsedWorkflow, type WorkflowSource } from "./workflow/ParseWorkflow.ts"
export * as PromptTemplate from "./workflow/PromptTemplate.ts"
export * as Problem from "./workflow/Problem.ts"
export { policyOf, type Workflow } from "./workflow/Workflow.ts"

export { Command } from "./scheduler/Command.ts"
export * as Decision from "./scheduler/Decision.ts"
export { decide } from "./scheduler/Eligibility.ts"
export { Event } from "./scheduler/Event.ts"
export * as Idle from "./scheduler/Idle.ts"
export * as Snapshot from "./scheduler/Snapshot.ts"
export * as SchedulerState from "./scheduler/State.ts"
export { type Transition, transition } from "./scheduler/Transition.ts"

export * as SessionWorkers from "./session/SessionWorkers.ts"

export * as Configuration from "./orchestrator/Configuration.ts"
export * as MemoryRunStore from "./orchestrator/MemoryRunStore.ts"
export * as Orchestrator from "./orchestrator/Orchestrator.ts"
export { type ObservedStep, StepObserver } from "./orchestrator/StepObserver.ts"
