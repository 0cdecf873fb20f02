/** The in-memory workspaces as a subject of their conformance suite. */
import { Effect } from "effect"
import { HookFailed, type HookName, type WorkspaceBackendService } from "../../src/ports/WorkspaceBackend.ts"
import type { WorkspaceSubject } from "../../src/testing/conformance/WorkspaceScene.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"

/** What a hook's failure fails; that of the others is logged, which the double has no part in. */
const guarded: { readonly [Hook in HookName]?: keyof WorkspaceBackendService } = {
  after_create: "ensureWorkspace",
  before_run: "startRun"
}

const hookFailed = (hook: HookName) =>
  new HookFailed({ hook, exitCode: 1, outputTail: "", message: `hooks.${hook} exited with status 1` })

export const memoryWorkspaces: WorkspaceSubject = {
  make: Effect.fnUntraced(function* (failing) {
    const workspaces = yield* MemoryWorkspaces.make()
    for (const hook of failing) {
      const operation = guarded[hook]
      const behaviour = { _tag: "Fail", error: hookFailed(hook) } as const
      if (operation !== undefined) yield* workspaces.script.add({ operation, behaviour })
    }
    let lastPid = 0
    const processes = new Set<number>()
    return {
      workspaces: workspaces.service,
      // Memory outlives a crash as a disk does; what ends with it are the processes on record.
      restart: Effect.map(workspaces.all, (all) => {
        for (const pid of all.flatMap((contents) => contents.processes)) processes.delete(pid)
        return workspaces.service
      }),
      work: ({ issueId }) => workspaces.touch(issueId),
      leaveUnsaved: ({ issueId }) => workspaces.setDirty(issueId, "1 uncommitted file"),
      exists: ({ issueId }) => Effect.map(workspaces.contents(issueId), (contents) => contents !== null),
      startProcess: () =>
        Effect.sync(() => {
          processes.add(++lastPid)
          return lastPid
        }),
      runs: (pid) => Effect.sync(() => processes.has(pid))
    }
  })
}
