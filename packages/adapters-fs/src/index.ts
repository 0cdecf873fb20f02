/** Adapters to this machine: workspaces and issues on its filesystem, processes in groups of their own. */
export * as RootLock from "./RootLock.ts"
export * as NodeProcessProbe from "./process/NodeProcessProbe.ts"
export { ProcessProbe } from "./process/ProcessProbe.ts"
export * as ShellProcess from "./process/ShellProcess.ts"
export * as FilesTracker from "./tracker/FilesTracker.ts"
export * as IssueBoard from "./tracker/IssueBoard.ts"
export * as FilesystemWorkspaces from "./workspace/FilesystemWorkspaces.ts"
