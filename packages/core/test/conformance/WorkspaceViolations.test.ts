import { describe } from "@effect/vitest"
import { Effect } from "effect"
import { RunId, SessionId } from "../../src/domain/Ids.ts"
import type { RecoveredWorkspace, Workspace } from "../../src/domain/Workspace.ts"
import {
  Cleanup,
  HookFailed,
  type Recovery,
  type WorkspaceBackendService,
  WorkspaceIoError
} from "../../src/ports/WorkspaceBackend.ts"
import type { WorkspaceScene } from "../../src/testing/conformance/WorkspaceScene.ts"
import { workspaceSuite } from "../../src/testing/conformance/WorkspaceSuite.ts"
import { plantAll, type Violations } from "./PlantedViolation.ts"
import { memoryWorkspaces } from "./Workspaces.ts"

type Change = (workspaces: WorkspaceBackendService, scene: WorkspaceScene) => Partial<WorkspaceBackendService>

/** Changes what this orchestrator and the next one work with. */
const backend =
  (change: Change) =>
  (scene: WorkspaceScene): WorkspaceScene => ({
    ...scene,
    workspaces: { ...scene.workspaces, ...change(scene.workspaces, scene) },
    restart: Effect.map(scene.restart, (later) => ({ ...later, ...change(later, scene) }))
  })

const ensured = (change: (workspace: Workspace) => Workspace) =>
  backend(({ ensureWorkspace }) => ({ ensureWorkspace: (issue) => Effect.map(ensureWorkspace(issue), change) }))

const recovered = (change: (found: ReadonlyArray<RecoveredWorkspace>) => ReadonlyArray<RecoveredWorkspace>) =>
  backend(({ recoverWorkspaces }) => ({
    recoverWorkspaces: Effect.map(recoverWorkspaces, (recovery): Recovery => ({
      ...recovery,
      workspaces: change(recovery.workspaces)
    }))
  }))

const cleanup = (answer: Cleanup) => backend(() => ({ cleanupWorkspace: () => Effect.succeed(answer) }))

const movedTo = (key: string) => (workspace: Workspace) => ({ ...workspace, key, path: `/workspaces/${key}` })

const violations: Violations<WorkspaceScene> = {
  "makes a workspace that belongs to its issue, at an absolute path that ends with its key": ensured((workspace) => ({
    ...workspace,
    path: workspace.path.slice(1)
  })),
  "finds a workspace again, with the work in it": backend(({ ensureWorkspace }, { work }) => ({
    ensureWorkspace: (issue) => Effect.tap(ensureWorkspace(issue), (workspace) => Effect.ignore(work(workspace)))
  })),
  "finds a workspace again after a restart": (scene) => ({
    ...scene,
    restart: Effect.map(scene.restart, (later) => ({
      ...later,
      ensureWorkspace: (issue) => Effect.map(later.ensureWorkspace(issue), movedTo("another"))
    }))
  }),
  "makes one workspace when it is asked twice at the same time": (scene) => {
    let made = 0
    return ensured((workspace) => movedTo(`${workspace.key}-${++made}`)(workspace))(scene)
  },
  "gives each issue a directory of its own, also where identifiers look alike as names": ensured((workspace) =>
    movedTo(workspace.identifier.replaceAll(/[^A-Za-z0-9]/g, "_"))(workspace)
  ),
  "keeps every workspace a safe name directly in the root, whatever the identifier": ensured((workspace) =>
    movedTo(workspace.identifier)(workspace)
  ),
  "has equal fingerprints while nothing changes, and another one after work": backend(() => ({
    fingerprint: () => Effect.succeed("always the same")
  })),
  "has a fingerprint per workspace": (scene) => {
    let works = 0
    return {
      ...backend(() => ({ fingerprint: () => Effect.sync(() => String(works)) }))(scene),
      work: () => Effect.sync(() => works++)
    }
  },
  "fails, and does not die, where the workspace is gone": backend(() => ({
    readSession: () => Effect.die(new TypeError("undefined is not an object"))
  })),
  "removes a workspace without unsaved work": cleanup(Cleanup.Removed()),
  "takes a workspace that is gone for removed": backend(({ cleanupWorkspace }, { exists }) => ({
    cleanupWorkspace: (workspace, issue) =>
      Effect.flatMap(Effect.orDie(exists(workspace)), (isThere) =>
        isThere
          ? cleanupWorkspace(workspace, issue)
          : Effect.fail(new WorkspaceIoError({ path: workspace.path, message: "no such directory" }))
      )
  })),
  "keeps a workspace with unsaved work, and says why": (scene) => ({ ...scene, leaveUnsaved: () => Effect.void }),
  "removes one workspace and leaves the others alone": backend(({ cleanupWorkspace, recoverWorkspaces }) => ({
    cleanupWorkspace: (_, issue) =>
      Effect.flatMap(recoverWorkspaces, ({ workspaces }) =>
        Effect.as(
          Effect.forEach(workspaces, ({ workspace }) => cleanupWorkspace(workspace, issue)),
          Cleanup.Removed()
        )
      )
  })),
  "begins anew in a workspace that was removed": (scene) => {
    const sessions = new Map<string, SessionId>()
    return backend(() => ({
      readSession: ({ path }) => Effect.sync(() => sessions.get(path) ?? null),
      writeSession: ({ path }, session) => Effect.sync(() => sessions.set(path, session))
    }))(scene)
  },
  "does not count its own files as work": backend(({ startRun }, { work }) => ({
    startRun: (run) => Effect.tap(startRun(run), () => Effect.ignore(work(run.workspace)))
  })),
  "fails a run whose before_run fails, and names the hook": backend(({ startRun }) => ({
    startRun: (run) => Effect.ignore(startRun(run))
  })),
  "finishes a run although after_run fails": backend(() => ({
    finishRun: () =>
      Effect.fail(new HookFailed({ hook: "after_run", exitCode: 1, outputTail: "", message: "after_run failed" }))
  })),
  "makes no workspace where after_create fails, and names the hook": backend(({ ensureWorkspace }) => ({
    ensureWorkspace: (issue) =>
      Effect.mapError(ensureWorkspace(issue), ({ message }) => new WorkspaceIoError({ path: "", message }))
  })),
  "removes a workspace although before_remove fails": cleanup(Cleanup.Kept({ reason: "before_remove failed" })),
  "has no session before one was stored": backend(({ readSession }) => ({
    readSession: (workspace) => Effect.map(readSession(workspace), (session) => session ?? SessionId(""))
  })),
  "keeps the newest session, per workspace": backend(({ readSession, writeSession }) => ({
    writeSession: (workspace, session) =>
      Effect.flatMap(readSession(workspace), (old) => (old === null ? writeSession(workspace, session) : Effect.void))
  })),
  "keeps the session over runs and restarts": backend(({ finishRun, writeSession }) => ({
    finishRun: (run, outcome) => Effect.andThen(finishRun(run, outcome), writeSession(run.workspace, SessionId("lost")))
  })),
  "recovers nothing where nothing is": backend(() => ({
    recoverWorkspaces: Effect.succeed({ workspaces: [], problems: ["the root is empty"] })
  })),
  "recovers every workspace with its issue, and no run where the last one finished": recovered((found) =>
    found.slice(1)
  ),
  "recovers the run that a crash interrupted": recovered((found) =>
    found.map((one) => ({ ...one, interruptedRun: null }))
  ),
  "starts and finishes the next run where one was interrupted": recovered((found) =>
    found.map((one) => ({ ...one, interruptedRun: RunId("run-1") }))
  ),
  "ends the processes that a crash left behind before recovery returns": backend(() => ({
    recordProcess: () => Effect.void
  })),
  "leaves processes alone that the end of their run took off the record": backend(({ finishRun, recordProcess }) => ({
    finishRun: (run, outcome) => Effect.andThen(finishRun(run, outcome), recordProcess(run.workspace, 1))
  }))
}

describe("the workspace suite", () => {
  plantAll(violations, (plant) =>
    workspaceSuite({ make: (failing) => Effect.map(memoryWorkspaces.make(failing), plant) })
  )
})
