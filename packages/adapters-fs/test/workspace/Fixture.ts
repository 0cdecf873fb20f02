/** A workspace root in a temporary directory, with real git and real processes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { PreparedRun } from "@opensymphony/core/domain/Run"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import { WorkspaceBackend } from "@opensymphony/core/ports/WorkspaceBackend"
import { Context, Effect, FileSystem, Layer, Logger } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as NodeProcessProbe from "../../src/process/NodeProcessProbe.ts"
import * as FilesystemWorkspaces from "../../src/workspace/FilesystemWorkspaces.ts"

export const platform = NodeProcessProbe.layer.pipe(
  Layer.provideMerge(NodeServices.layer),
  Layer.provideMerge(Logger.layer([]))
)

/** A fresh directory that goes with the test. */
export const temporaryDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ prefix: "workspaces-" }))
})

export const issue = (identifier: string, id = identifier): Issue.Issue =>
  Issue.make({ id: IssueId(id), identifier, title: `The title of ${identifier}`, state: "Todo" })

const baseEnvironment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent" }

export interface Settings {
  readonly root: string
  readonly remove?: FilesystemWorkspaces.RemovalPolicy
  readonly hooks?: Partial<FilesystemWorkspaces.HookScripts>
  readonly hookEnvironment?: Record<string, string>
}

export const optionsOf = (settings: Settings): FilesystemWorkspaces.WorkspaceOptions => ({
  root: settings.root,
  remove: settings.remove ?? "clean",
  hooks: {
    afterCreate: null,
    beforeRun: null,
    afterRun: null,
    beforeRemove: null,
    timeoutMs: 20_000,
    ...settings.hooks
  },
  hookEnvironment: { ...baseEnvironment, ...settings.hookEnvironment },
  workflowPath: "/somewhere/WORKFLOW.md"
})

/** The backend as one orchestrator would have it. */
export const backend = (settings: Settings) =>
  Effect.map(Layer.build(Layer.fresh(FilesystemWorkspaces.layer(optionsOf(settings)))), (context) =>
    Context.get(context, WorkspaceBackend)
  )

/** A root and its backend. */
export const scene = (settings: Omit<Settings, "root"> = {}) =>
  Effect.gen(function* () {
    const root = join(yield* temporaryDirectory, "root")
    return { root, workspaces: yield* backend({ ...settings, root }) }
  })

export const runOf = (workspace: Workspace, runId = "run-1"): PreparedRun => ({
  runId: RunId(runId),
  issue: issue(workspace.identifier, workspace.issueId),
  attempt: null,
  workspace
})

export const write = (path: string, content: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

export const readJson = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>

export const git = (cwd: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(
    "git",
    ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always", ...args],
    { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: { ...baseEnvironment, GIT_CONFIG_NOSYSTEM: "1" } }
  )

const firstCommit = [
  "blob\nmark :1\ndata 4\none\n",
  "blob\nmark :2\ndata 9\nignored/\n",
  "commit refs/heads/main\ncommitter T <t@example.org> 0 +0000\ndata 5\nfirst",
  "M 100644 :1 tracked.txt\nM 100644 :2 .gitignore\n"
].join("\n")

/** A bare repository with one commit on `main`, to clone from. */
export const makeOrigin = (directory: string): string => {
  const origin = join(directory, "origin.git")
  git(directory, "init", "--quiet", "--bare", "--initial-branch=main", origin)
  execFileSync("git", ["fast-import", "--quiet"], { cwd: origin, input: firstCommit })
  return origin
}

export const commit = (directory: string, file: string, content: string): void => {
  write(join(directory, file), content)
  git(directory, "add", file)
  git(directory, "commit", "--quiet", "-m", file)
}

/** A process in a group of its own that ends with the test. */
export const strayProcess = (cwd: string) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<number>((resolve) => {
          const child = spawn("sh", ["-c", "echo up; sleep 60 & wait"], {
            cwd,
            detached: true,
            stdio: ["ignore", "pipe", "ignore"]
          })
          child.stdout.once("data", () => resolve(child.pid ?? 0))
        })
    ),
    (pid) => Effect.sync(() => endGroup(pid))
  )

const endGroup = (pid: number): void => {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // It is gone already.
  }
}

/** Whether the group has members that run; zombies do not. */
export const groupRuns = (pgid: number): boolean =>
  execFileSync("ps", ["-eo", "pgid=,stat="], { encoding: "utf8" })
    .split("\n")
    .some((line) => {
      const [group, state] = line.trim().split(/\s+/)
      return Number(group) === pgid && !(state ?? "Z").startsWith("Z")
    })

/** Waits, at most five seconds, until real processes have done something. */
export const eventually = (look: () => boolean) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 250; tries++) {
      if (look()) return
      yield* Effect.sleep(20)
    }
    return yield* Effect.die(new Error("it never happened"))
  })

/** A process identity that nobody has any more. */
export const deadOwner = { pid: 2 ** 22 + 1, startTime: "long ago" }

export { existsSync }
