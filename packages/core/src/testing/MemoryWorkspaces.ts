/**
 * Workspaces in memory: a WorkspaceBackend without a disk. What a directory would hold is kept per issue and shown by
 * the handle; agents of a test say what they did with `touch`, and a script makes operations fail, hang or take long.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { IssueId, RunId, SessionId } from "../domain/Ids.ts"
import type { Issue } from "../domain/Issue.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { PreparedRun } from "../domain/Run.ts"
import type { Workspace } from "../domain/Workspace.ts"
import {
  Cleanup,
  WorkspaceBackend,
  type WorkspaceBackendService,
  type WorkspaceError,
  WorkspaceIoError
} from "../ports/WorkspaceBackend.ts"
import * as CallLog from "./CallLog.ts"
import * as Script from "./Script.ts"

export type WorkspaceOperation = keyof WorkspaceBackendService

export interface WorkspaceCall {
  readonly operation: WorkspaceOperation
  /** Null for `recoverWorkspaces`. */
  readonly issueId: IssueId | null
  /** Of `startRun` and `finishRun`, else null. */
  readonly runId: RunId | null
}

/** What stands in one workspace. */
export interface WorkspaceContents {
  readonly workspace: Workspace
  readonly session: SessionId | null
  /** The run whose manifest is open. */
  readonly openRun: RunId | null
  /** The process groups that were recorded and not dropped. */
  readonly processes: ReadonlyArray<number>
  /** How the last finished run in it ended. */
  readonly lastOutcome: Outcome | null
  /** How often the work in it changed. */
  readonly revision: number
  /** Why it may not be removed, null when it may. */
  readonly dirty: string | null
}

export interface Options {
  /** Where the paths begin; nothing is ever written there. */
  readonly root?: string
}

export interface MemoryWorkspaces {
  readonly service: WorkspaceBackendService
  readonly layer: Layer.Layer<WorkspaceBackend>
  /** Rules for what goes wrong; see {@link Script}. A failed `ensureWorkspace` leaves no workspace behind. */
  readonly script: Script.Script<WorkspaceOperation, WorkspaceError>
  /** The work changed: the fingerprint is another one from now on. */
  readonly touch: (issueId: IssueId) => Effect.Effect<void>
  /** Lets `cleanupWorkspace` keep the workspace for this reason, or remove it (null). */
  readonly setDirty: (issueId: IssueId, reason: string | null) => Effect.Effect<void>
  readonly contents: (issueId: IssueId) => Effect.Effect<WorkspaceContents | null>
  readonly all: Effect.Effect<ReadonlyArray<WorkspaceContents>>
  /** What the next `recoverWorkspaces` reports as problems. */
  readonly setProblems: (problems: ReadonlyArray<string>) => Effect.Effect<void>
  readonly calls: CallLog.CallLog<WorkspaceCall>
}

/** Of a key, what comes from the identifier. */
const longestName = 100

/** A root without workspaces. */
export const make = (options: Options = {}): Effect.Effect<MemoryWorkspaces> =>
  Effect.sync(() => {
    const root = options.root ?? "/workspaces"
    const workspaces = new Map<IssueId, WorkspaceContents>()
    const keys = new Set<string>()
    const calls = CallLog.makeUnsafe<WorkspaceCall>()
    const script = Script.makeUnsafe<WorkspaceOperation, WorkspaceError>()
    let problems: ReadonlyArray<string> = []

    /** One safe path segment; two identifiers that look alike as a name get different directories. */
    const takeKey = (issue: Issue): string => {
      const safe = issue.identifier.replaceAll(/[^A-Za-z0-9._-]/g, "_").slice(0, longestName)
      const name = /^\.{0,2}$/.test(safe) ? `_${safe}` : safe
      let key = name
      for (let n = 2; keys.has(key); n++) key = `${name}-${n}`
      keys.add(key)
      return key
    }

    const enter = (operation: WorkspaceOperation, issueId: IssueId | null, runId: RunId | null = null) =>
      Effect.andThen(calls.record({ operation, issueId, runId }), script.play(operation, issueId))

    const edit = (issueId: IssueId, change: (contents: WorkspaceContents) => WorkspaceContents): void => {
      const contents = workspaces.get(issueId)
      if (contents !== undefined) workspaces.set(issueId, change(contents))
    }

    /** An operation inside a workspace, which fails as a missing directory would. */
    const inside = <A>(
      operation: WorkspaceOperation,
      workspace: Workspace,
      act: (contents: WorkspaceContents) => A,
      runId: RunId | null = null
    ): Effect.Effect<A, WorkspaceError> =>
      Effect.andThen(
        enter(operation, workspace.issueId, runId),
        Effect.suspend((): Effect.Effect<A, WorkspaceError> => {
          const contents = workspaces.get(workspace.issueId)
          return contents === undefined
            ? Effect.fail(
                new WorkspaceIoError({
                  path: workspace.path,
                  message: `${operation}: ${workspace.path} does not exist; ensure the workspace first`
                })
              )
            : Effect.sync(() => act(contents))
        })
      )

    const ensure = (issue: Issue): Workspace => {
      const existing = workspaces.get(issue.id)
      if (existing !== undefined) return existing.workspace
      const key = takeKey(issue)
      const workspace = { issueId: issue.id, identifier: issue.identifier, key, path: `${root}/${key}` }
      workspaces.set(issue.id, {
        workspace,
        session: null,
        openRun: null,
        processes: [],
        lastOutcome: null,
        revision: 0,
        dirty: null
      })
      return workspace
    }

    const startRun = (run: PreparedRun) =>
      inside(
        "startRun",
        run.workspace,
        () => edit(run.issue.id, (contents) => ({ ...contents, openRun: run.runId })),
        run.runId
      )

    const finishRun = (run: PreparedRun, outcome: Outcome) =>
      inside(
        "finishRun",
        run.workspace,
        () =>
          edit(run.issue.id, (contents) => ({
            ...contents,
            openRun: null,
            processes: [],
            lastOutcome: outcome
          })),
        run.runId
      )

    const recover = Effect.sync(() => {
      const recovered = [...workspaces.values()].map(({ openRun, workspace }) => ({
        workspace,
        interruptedRun: openRun
      }))
      for (const { workspace } of recovered) {
        edit(workspace.issueId, (contents) => ({ ...contents, openRun: null, processes: [] }))
      }
      return { workspaces: recovered, problems }
    })

    const remove = (issueId: IssueId): Cleanup => {
      const contents = workspaces.get(issueId)
      if (contents === undefined) return Cleanup.Removed()
      if (contents.dirty !== null) return Cleanup.Kept({ reason: contents.dirty })
      workspaces.delete(issueId)
      keys.delete(contents.workspace.key)
      return Cleanup.Removed()
    }

    const service: WorkspaceBackendService = {
      ensureWorkspace: (issue) =>
        Effect.andThen(
          enter("ensureWorkspace", issue.id),
          Effect.sync(() => ensure(issue))
        ),
      recoverWorkspaces: Effect.andThen(enter("recoverWorkspaces", null), recover),
      startRun,
      finishRun,
      cleanupWorkspace: (workspace) =>
        Effect.andThen(
          enter("cleanupWorkspace", workspace.issueId),
          Effect.sync(() => remove(workspace.issueId))
        ),
      fingerprint: (workspace) => inside("fingerprint", workspace, ({ revision }) => `${workspace.key}@${revision}`),
      readSession: (workspace) => inside("readSession", workspace, ({ session }) => session),
      writeSession: (workspace, session) =>
        inside("writeSession", workspace, () => edit(workspace.issueId, (contents) => ({ ...contents, session }))),
      recordProcess: (workspace, pid) =>
        inside("recordProcess", workspace, () =>
          edit(workspace.issueId, (contents) => ({ ...contents, processes: [...contents.processes, pid] }))
        )
    }

    return {
      service,
      layer: Layer.succeed(WorkspaceBackend, service),
      script,
      touch: (issueId) =>
        Effect.sync(() => edit(issueId, (contents) => ({ ...contents, revision: contents.revision + 1 }))),
      setDirty: (issueId, dirty) => Effect.sync(() => edit(issueId, (contents) => ({ ...contents, dirty }))),
      contents: (issueId) => Effect.sync(() => workspaces.get(issueId) ?? null),
      all: Effect.sync(() => [...workspaces.values()]),
      setProblems: (next) =>
        Effect.sync(() => {
          problems = next
        }),
      calls
    }
  })
