import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { IssueId, RunId, SessionId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { HookFailed } from "../../src/ports/WorkspaceBackend.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"

const issue = (id: string, identifier: string) =>
  Issue.make({ id: IssueId(id), identifier, title: identifier, state: "Todo" })
const first = issue("1", "a/b")
const second = issue("2", "a_b")
const hookFailed = new HookFailed({ hook: "after_create", exitCode: 1, outputTail: "", message: "after_create failed" })

/** Workspaces of which that of `first` exists. */
const make = Effect.fnUntraced(function* () {
  const workspaces = yield* MemoryWorkspaces.make()
  const workspace = yield* workspaces.service.ensureWorkspace(first)
  return { workspaces, service: workspaces.service, workspace }
})

describe("MemoryWorkspaces", () => {
  it.effect("finds a workspace again", () =>
    Effect.gen(function* () {
      const { service, workspace } = yield* make()
      assert.deepStrictEqual(yield* service.ensureWorkspace(first), workspace)
    })
  )

  it.effect("gives identifiers that look alike directories of their own", () =>
    Effect.gen(function* () {
      const { service, workspace } = yield* make()
      assert.notStrictEqual((yield* service.ensureWorkspace(second)).path, workspace.path)
    })
  )

  it.effect("leaves no workspace behind when making it fails", () =>
    Effect.gen(function* () {
      const workspaces = yield* MemoryWorkspaces.make()
      yield* workspaces.script.add({
        operation: "ensureWorkspace",
        issueId: first.id,
        behaviour: { _tag: "Fail", error: hookFailed }
      })
      assert.strictEqual(yield* Effect.flip(workspaces.service.ensureWorkspace(first)), hookFailed)
      assert.isNull(yield* workspaces.contents(first.id))
    })
  )

  it.effect("keeps the session", () =>
    Effect.gen(function* () {
      const { service, workspace } = yield* make()
      assert.isNull(yield* service.readSession(workspace))
      yield* service.writeSession(workspace, SessionId("s-1"))
      assert.strictEqual(yield* service.readSession(workspace), SessionId("s-1"))
    })
  )

  it.effect("has another fingerprint exactly when the work changed", () =>
    Effect.gen(function* () {
      const { service, workspace, workspaces } = yield* make()
      const before = yield* service.fingerprint(workspace)
      yield* service.writeSession(workspace, SessionId("s-1"))
      assert.strictEqual(yield* service.fingerprint(workspace), before)
      yield* workspaces.touch(first.id)
      assert.notStrictEqual(yield* service.fingerprint(workspace), before)
    })
  )

  it.effect("removes a clean workspace", () =>
    Effect.gen(function* () {
      const { service, workspace, workspaces } = yield* make()
      assert.strictEqual((yield* service.cleanupWorkspace(workspace, first))._tag, "Removed")
      assert.isNull(yield* workspaces.contents(first.id))
    })
  )

  it.effect("keeps a dirty workspace and says why", () =>
    Effect.gen(function* () {
      const { service, workspace, workspaces } = yield* make()
      yield* workspaces.setDirty(first.id, "1 uncommitted file")
      assert.deepInclude(yield* service.cleanupWorkspace(workspace, first), { reason: "1 uncommitted file" })
      assert.isNotNull(yield* workspaces.contents(first.id))
    })
  )

  it.effect("takes a workspace that is gone for removed", () =>
    Effect.gen(function* () {
      const { service, workspace } = yield* make()
      yield* service.cleanupWorkspace(workspace, first)
      assert.strictEqual((yield* service.cleanupWorkspace(workspace, first))._tag, "Removed")
    })
  )

  it.effect("fails what needs a workspace that is gone", () =>
    Effect.gen(function* () {
      const { service, workspace } = yield* make()
      yield* service.cleanupWorkspace(workspace, first)
      assert.strictEqual((yield* Effect.flip(service.fingerprint(workspace)))._tag, "WorkspaceIoError")
    })
  )

  it.effect("recovers a run that was not finished, once", () =>
    Effect.gen(function* () {
      const { service, workspace } = yield* make()
      yield* service.startRun({ runId: RunId("run-1"), issue: first, attempt: null, workspace })
      const recovered = (yield* service.recoverWorkspaces).workspaces
      assert.deepStrictEqual(recovered, [{ workspace, interruptedRun: RunId("run-1") }])
      assert.isNull((yield* service.recoverWorkspaces).workspaces[0]?.interruptedRun)
    })
  )

  it.effect("drops the processes of a run that finished and keeps its outcome", () =>
    Effect.gen(function* () {
      const { service, workspace, workspaces } = yield* make()
      const run = { runId: RunId("run-1"), issue: first, attempt: null, workspace }
      const outcome = Outcome.Succeeded({ summary: null })
      yield* service.startRun(run)
      yield* service.recordProcess(workspace, 4711)
      yield* service.finishRun(run, outcome)
      assert.deepInclude(yield* workspaces.contents(first.id), {
        openRun: null,
        processes: [],
        lastOutcome: outcome
      })
    })
  )

  it.effect("logs operations with issue and run", () =>
    Effect.gen(function* () {
      const { service, workspace, workspaces } = yield* make()
      yield* service.startRun({ runId: RunId("run-1"), issue: first, attempt: null, workspace })
      assert.deepStrictEqual(yield* workspaces.calls.calls, [
        { operation: "ensureWorkspace", issueId: first.id, runId: null, atMs: 0 },
        { operation: "startRun", issueId: first.id, runId: RunId("run-1"), atMs: 0 }
      ])
    })
  )
})
