/** The rules of `WorkspaceBackend` about what is kept beside the work: manifests, hooks, sessions, processes. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SessionId } from "../../domain/Ids.ts"
import { Outcome } from "../../domain/Outcome.ts"
import type { HookName } from "../../ports/WorkspaceBackend.ts"
import { type ConformanceCase, expectEqual, expectFailure, expectThat, rule } from "./ConformanceCase.ts"
import { issueOf, runIn, type WorkspaceScene, type WorkspaceSubject } from "./WorkspaceScene.ts"

const succeeded = Outcome.Succeeded({ summary: "done" })

/** What runs may do to a workspace without being called work. */
const wholeRun = Effect.fnUntraced(function* ({ startProcess, workspaces }: WorkspaceScene, runId: string) {
  const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
  yield* workspaces.startRun(runIn(workspace, runId))
  yield* workspaces.recordProcess(workspace, yield* startProcess(workspace))
  yield* workspaces.writeSession(workspace, SessionId(`session of ${runId}`))
  yield* workspaces.finishRun(runIn(workspace, runId), succeeded)
})

/** The part of the suite that is about runs. */
export const workspaceRunRules = <R>(
  subject: WorkspaceSubject<R>
): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => {
  const on = (
    name: string,
    play: (scene: WorkspaceScene) => Effect.Effect<void, unknown, Scope.Scope>,
    failing: ReadonlyArray<HookName> = []
  ) => rule(name, Effect.flatMap(subject.make(failing), play))

  return [
    on(
      "does not count its own files as work",
      Effect.fnUntraced(function* (scene) {
        const workspace = yield* scene.workspaces.ensureWorkspace(issueOf("ABC-1"))
        const before = yield* scene.workspaces.fingerprint(workspace)
        yield* wholeRun(scene, "run-1")
        yield* expectEqual(
          "the fingerprint after a run without work",
          yield* scene.workspaces.fingerprint(workspace),
          before
        )
      })
    ),
    on(
      "fails a run whose before_run fails, and names the hook",
      Effect.fnUntraced(function* ({ restart, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const error = yield* expectFailure("startRun", workspaces.startRun(runIn(workspace)))
        yield* expectThat("HookFailed of before_run", error._tag === "HookFailed" && error.hook === "before_run", error)
        const { workspaces: found } = yield* (yield* restart).recoverWorkspaces
        yield* expectEqual("what recovery finds", found, [{ workspace, interruptedRun: null }])
      }),
      ["before_run"]
    ),
    on(
      "finishes a run although after_run fails",
      Effect.fnUntraced(function* ({ restart, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* workspaces.startRun(runIn(workspace))
        yield* workspaces.finishRun(runIn(workspace), succeeded)
        const { workspaces: found } = yield* (yield* restart).recoverWorkspaces
        yield* expectEqual("what recovery finds", found, [{ workspace, interruptedRun: null }])
      }),
      ["after_run"]
    ),
    on(
      "makes no workspace where after_create fails, and names the hook",
      Effect.fnUntraced(function* ({ restart, workspaces }) {
        for (let attempt = 0; attempt < 2; attempt++) {
          const error = yield* expectFailure("ensureWorkspace", workspaces.ensureWorkspace(issueOf("ABC-1")))
          yield* expectThat(
            "HookFailed of after_create",
            error._tag === "HookFailed" && error.hook === "after_create",
            error
          )
        }
        yield* expectEqual("what recovery finds", (yield* (yield* restart).recoverWorkspaces).workspaces, [])
      }),
      ["after_create"]
    ),
    on(
      "removes a workspace although before_remove fails",
      Effect.fnUntraced(function* ({ exists, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const answer = yield* workspaces.cleanupWorkspace(workspace, issueOf("ABC-1", "Done"))
        yield* expectEqual("the answer", answer._tag, "Removed")
        yield* expectEqual("whether it is still there", yield* exists(workspace), false)
      }),
      ["before_remove"]
    ),
    on(
      "has no session before one was stored",
      Effect.fnUntraced(function* ({ workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* expectEqual("the session", yield* workspaces.readSession(workspace), null)
      })
    ),
    on(
      "keeps the newest session, per workspace",
      Effect.fnUntraced(function* ({ workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const other = yield* workspaces.ensureWorkspace(issueOf("ABC-2"))
        yield* workspaces.writeSession(workspace, SessionId("s-1"))
        yield* workspaces.writeSession(workspace, SessionId("s-2 – ünïcödé"))
        yield* expectEqual("the session", yield* workspaces.readSession(workspace), SessionId("s-2 – ünïcödé"))
        yield* expectEqual("the session of another", yield* workspaces.readSession(other), null)
      })
    ),
    on(
      "keeps the session over runs and restarts",
      Effect.fnUntraced(function* (scene) {
        yield* wholeRun(scene, "run-1")
        const later = yield* scene.restart
        yield* later.recoverWorkspaces
        const workspace = yield* later.ensureWorkspace(issueOf("ABC-1"))
        yield* expectEqual("the session", yield* later.readSession(workspace), SessionId("session of run-1"))
      })
    ),
    on(
      "recovers nothing where nothing is",
      Effect.fnUntraced(function* ({ workspaces }) {
        yield* expectEqual("what recovery finds", yield* workspaces.recoverWorkspaces, { workspaces: [], problems: [] })
      })
    ),
    on(
      "recovers every workspace with its issue, and no run where the last one finished",
      Effect.fnUntraced(function* (scene) {
        yield* wholeRun(scene, "run-1")
        const mine = yield* scene.workspaces.ensureWorkspace(issueOf("ABC-1"))
        const other = yield* scene.workspaces.ensureWorkspace(issueOf("a/b"))
        const { problems, workspaces: found } = yield* (yield* scene.restart).recoverWorkspaces
        yield* expectEqual(
          "what recovery finds",
          [...found].sort((self, that) => (self.workspace.identifier < that.workspace.identifier ? -1 : 1)),
          [
            { workspace: mine, interruptedRun: null },
            { workspace: other, interruptedRun: null }
          ]
        )
        yield* expectEqual("problems", problems, [])
      })
    ),
    on(
      "recovers the run that a crash interrupted",
      Effect.fnUntraced(function* (scene) {
        yield* wholeRun(scene, "run-1")
        const workspace = yield* scene.workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* scene.workspaces.startRun(runIn(workspace, "run-2"))
        const { workspaces: found } = yield* (yield* scene.restart).recoverWorkspaces
        yield* expectEqual("what recovery finds", found, [
          { workspace, interruptedRun: runIn(workspace, "run-2").runId }
        ])
      })
    ),
    on(
      "starts and finishes the next run where one was interrupted",
      Effect.fnUntraced(function* (scene) {
        const workspace = yield* scene.workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* scene.workspaces.startRun(runIn(workspace, "run-1"))
        const later = yield* scene.restart
        yield* later.recoverWorkspaces
        yield* wholeRun({ ...scene, workspaces: later }, "run-2")
        const { workspaces: found } = yield* later.recoverWorkspaces
        yield* expectEqual("what recovery finds", found, [{ workspace, interruptedRun: null }])
      })
    ),
    on(
      "ends the processes that a crash left behind before recovery returns",
      Effect.fnUntraced(function* ({ restart, runs, startProcess, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* workspaces.startRun(runIn(workspace))
        const pid = yield* startProcess(workspace)
        yield* workspaces.recordProcess(workspace, pid)
        yield* expectEqual("whether it runs before the crash", yield* runs(pid), true)
        yield* (yield* restart).recoverWorkspaces
        yield* expectEqual("whether it still runs", yield* runs(pid), false)
      })
    ),
    on(
      "leaves processes alone that the end of their run took off the record",
      Effect.fnUntraced(function* ({ restart, runs, startProcess, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* workspaces.startRun(runIn(workspace))
        const pid = yield* startProcess(workspace)
        yield* workspaces.recordProcess(workspace, pid)
        yield* workspaces.finishRun(runIn(workspace), succeeded)
        yield* (yield* restart).recoverWorkspaces
        yield* expectEqual("whether it still runs", yield* runs(pid), true)
      })
    )
  ]
}
