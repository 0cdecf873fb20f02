/**
 * The rules of {@link WorkspaceBackend} as cases, in two parts: the directories here, what is kept about runs in
 * `WorkspaceRunRules`. The subject does in a workspace what agents and crashes do.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SessionId } from "../../domain/Ids.ts"
import type { Workspace } from "../../domain/Workspace.ts"
import { type ConformanceCase, expectEqual, expectFailure, expectThat, rule } from "./ConformanceCase.ts"
import { issueOf, type WorkspaceScene, type WorkspaceSubject } from "./WorkspaceScene.ts"
import { workspaceRunRules } from "./WorkspaceRunRules.ts"

/** What is left of the path before the key: the root, for a workspace that is where it should be. */
const rootOf = ({ key, path }: Workspace): string => path.slice(0, path.length - key.length)

/** A path segment and nothing else, on any filesystem. */
const isSafeKey = (key: string): boolean =>
  /^[A-Za-z0-9._-]+$/.test(key) && key !== "." && key !== ".." && key.length <= 255

const hostile = [
  "../up",
  "..",
  ".",
  "",
  "/etc/passwd",
  "a/../../b",
  "-rf",
  "a b\nc",
  "x".repeat(300),
  "ünïcödé",
  ".git"
]

const directoryRules = <R>(subject: WorkspaceSubject<R>): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => {
  const on = (name: string, play: (scene: WorkspaceScene) => Effect.Effect<void, unknown, Scope.Scope>) =>
    rule(name, Effect.flatMap(subject.make([]), play))

  return [
    on(
      "makes a workspace that belongs to its issue, at an absolute path that ends with its key",
      Effect.fnUntraced(function* ({ exists, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const { identifier, issueId, key, path } = workspace
        yield* expectEqual(
          "whose it is",
          { identifier, issueId },
          {
            identifier: "ABC-1",
            issueId: issueOf("ABC-1").id
          }
        )
        yield* expectThat("an absolute path", /^(\/|[A-Za-z]:[\\/])/.test(path), path)
        yield* expectThat(
          "the key as the last part of the path",
          /[\\/]$/.test(rootOf(workspace)) && path.endsWith(key),
          workspace
        )
        yield* expectEqual("whether it is there", yield* exists(workspace), true)
      })
    ),
    on(
      "finds a workspace again, with the work in it",
      Effect.fnUntraced(function* ({ work, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* work(workspace)
        const before = yield* workspaces.fingerprint(workspace)
        yield* expectEqual("the workspace", yield* workspaces.ensureWorkspace(issueOf("ABC-1")), workspace)
        yield* expectEqual("the fingerprint", yield* workspaces.fingerprint(workspace), before)
      })
    ),
    on(
      "finds a workspace again after a restart",
      Effect.fnUntraced(function* ({ restart, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const later = yield* restart
        yield* expectEqual("the workspace", yield* later.ensureWorkspace(issueOf("ABC-1")), workspace)
      })
    ),
    on(
      "makes one workspace when it is asked twice at the same time",
      Effect.fnUntraced(function* ({ workspaces }) {
        const ensure = workspaces.ensureWorkspace(issueOf("ABC-1"))
        const [first, second] = yield* Effect.all([ensure, ensure], { concurrency: "unbounded" })
        yield* expectEqual("the second answer", second, first)
      })
    ),
    on(
      "gives each issue a directory of its own, also where identifiers look alike as names",
      Effect.fnUntraced(function* ({ workspaces }) {
        const names = ["a/b", "a_b", "a:b", "a b", "A_B"]
        const made = yield* Effect.forEach(names, (name) => workspaces.ensureWorkspace(issueOf(name)), {
          concurrency: "unbounded"
        })
        yield* expectEqual("how many directories", new Set(made.map(({ path }) => path)).size, names.length)
        for (const [index, name] of names.entries()) {
          yield* expectEqual(`the workspace of ${name}`, yield* workspaces.ensureWorkspace(issueOf(name)), made[index])
        }
      })
    ),
    on(
      "keeps every workspace a safe name directly in the root, whatever the identifier",
      Effect.fnUntraced(function* ({ exists, workspaces }) {
        const root = rootOf(yield* workspaces.ensureWorkspace(issueOf("ABC-1")))
        for (const identifier of hostile) {
          const workspace = yield* workspaces.ensureWorkspace(issueOf(identifier))
          yield* expectThat("a key that is a safe name", isSafeKey(workspace.key), workspace.key)
          yield* expectEqual("the root", rootOf(workspace), root)
          yield* expectEqual("whether it is there", yield* exists(workspace), true)
        }
      })
    ),
    on(
      "has equal fingerprints while nothing changes, and another one after work",
      Effect.fnUntraced(function* ({ work, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const first = yield* workspaces.fingerprint(workspace)
        yield* expectEqual("the fingerprint", yield* workspaces.fingerprint(workspace), first)
        yield* work(workspace)
        const second = yield* workspaces.fingerprint(workspace)
        yield* expectThat("another fingerprint", second !== first, second)
        yield* work(workspace)
        const third = yield* workspaces.fingerprint(workspace)
        yield* expectThat("a third fingerprint", third !== first && third !== second, third)
      })
    ),
    on(
      "has a fingerprint per workspace",
      Effect.fnUntraced(function* ({ work, workspaces }) {
        const mine = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const other = yield* workspaces.ensureWorkspace(issueOf("ABC-2"))
        const before = yield* workspaces.fingerprint(mine)
        yield* work(other)
        yield* expectEqual("the fingerprint", yield* workspaces.fingerprint(mine), before)
      })
    ),
    on(
      "fails, and does not die, where the workspace is gone",
      Effect.fnUntraced(function* ({ workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* workspaces.cleanupWorkspace(workspace, issueOf("ABC-1", "Done"))
        for (const operation of [
          workspaces.fingerprint(workspace),
          workspaces.readSession(workspace),
          workspaces.writeSession(workspace, SessionId("s"))
        ]) {
          const error = yield* expectFailure("an operation in a workspace that is gone", operation)
          yield* expectThat("a message that says what happened", error.message.trim() !== "", error.message)
        }
      })
    ),
    on(
      "removes a workspace without unsaved work",
      Effect.fnUntraced(function* ({ exists, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        const answer = yield* workspaces.cleanupWorkspace(workspace, issueOf("ABC-1", "Done"))
        yield* expectEqual("the answer", answer._tag, "Removed")
        yield* expectEqual("whether it is still there", yield* exists(workspace), false)
        yield* expectEqual("what recovery finds", (yield* workspaces.recoverWorkspaces).workspaces, [])
      })
    ),
    on(
      "takes a workspace that is gone for removed",
      Effect.fnUntraced(function* ({ workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* workspaces.cleanupWorkspace(workspace, issueOf("ABC-1", "Done"))
        const again = yield* workspaces.cleanupWorkspace(workspace, issueOf("ABC-1", "Done"))
        yield* expectEqual("the second answer", again._tag, "Removed")
      })
    ),
    on(
      "keeps a workspace with unsaved work, and says why",
      Effect.fnUntraced(function* ({ exists, leaveUnsaved, workspaces }) {
        const workspace = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* leaveUnsaved(workspace)
        const before = yield* workspaces.fingerprint(workspace)
        const answer = yield* workspaces.cleanupWorkspace(workspace, issueOf("ABC-1", "Done"))
        yield* expectThat("Kept with its evidence", answer._tag === "Kept" && answer.reason.trim() !== "", answer)
        yield* expectEqual("whether it is still there", yield* exists(workspace), true)
        yield* expectEqual("the fingerprint", yield* workspaces.fingerprint(workspace), before)
      })
    ),
    on(
      "removes one workspace and leaves the others alone",
      Effect.fnUntraced(function* ({ exists, work, workspaces }) {
        const done = yield* workspaces.ensureWorkspace(issueOf("a/b"))
        const other = yield* workspaces.ensureWorkspace(issueOf("a_b"))
        yield* work(other)
        const before = yield* workspaces.fingerprint(other)
        yield* workspaces.cleanupWorkspace(done, issueOf("a/b", "Done"))
        yield* expectEqual("whether the other one is there", yield* exists(other), true)
        yield* expectEqual("its fingerprint", yield* workspaces.fingerprint(other), before)
      })
    ),
    on(
      "begins anew in a workspace that was removed",
      Effect.fnUntraced(function* ({ exists, workspaces }) {
        const first = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* workspaces.writeSession(first, SessionId("s-1"))
        yield* workspaces.cleanupWorkspace(first, issueOf("ABC-1", "Done"))
        const second = yield* workspaces.ensureWorkspace(issueOf("ABC-1"))
        yield* expectEqual("whether it is there", yield* exists(second), true)
        yield* expectEqual("the session", yield* workspaces.readSession(second), null)
      })
    )
  ]
}

/** The rules of the port to directories; register each of them. */
export const workspaceSuite = <R = never>(
  subject: WorkspaceSubject<R>
): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => [
  ...directoryRules(subject),
  ...workspaceRunRules(subject)
]
