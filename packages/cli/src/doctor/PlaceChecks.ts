/** The places that an orchestrator needs on this machine: the workspace root, and git in it. */
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { execFile } from "node:child_process"
import * as Check from "./Check.ts"

/** The directory itself, or the nearest one above it that is there. */
const nearestDirectory = Effect.fnUntraced(function* (wanted: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let directory = wanted
  while (!(yield* Effect.orElseSucceed(fs.exists(directory), () => false)) && path.dirname(directory) !== directory) {
    directory = path.dirname(directory)
  }
  return directory
})

/** Whether workspaces can be made, and nobody else makes them there. Makes nothing that is not there. */
export const workspaceRoot = Effect.fnUntraced(function* ({ path: workflowPath, workspace: { root } }: Workflow) {
  const fs = yield* FileSystem.FileSystem
  const nearest = yield* nearestDirectory(root)
  const isWritable = yield* fs.access(nearest, { writable: true }).pipe(
    Effect.as(true),
    Effect.orElseSucceed(() => false)
  )
  if (!isWritable) {
    return Check.fail("workspaces", `${nearest} is not writable; change that, or set workspace.root to another place`)
  }
  if (nearest !== root) return Check.pass("workspaces", `${root} will be made in ${nearest}`)
  return yield* RootLock.acquire({ root, workflowPath }).pipe(
    Effect.as(Check.pass("workspaces", `${root} is writable and free`)),
    Effect.scoped,
    Effect.catchTag("RootLocked", ({ message }) => Effect.succeed(Check.warn("workspaces", message))),
    Effect.catch(({ message }) => Effect.succeed(Check.fail("workspaces", message)))
  )
})

export const git: Effect.Effect<Check.Check> = Effect.promise(
  () =>
    new Promise((resolve) => {
      execFile("git", ["--version"], { timeout: 10_000 }, (error, stdout) =>
        resolve(
          error === null
            ? Check.pass("git", stdout.trim())
            : Check.warn("git", "is not on PATH; hooks that clone fail, and unsaved work is told less well without it")
        )
      )
    })
)
