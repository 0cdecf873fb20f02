import { describe, it } from "@effect/vitest"
import type { HookName } from "@opensymphony/core/ports/WorkspaceBackend"
import { workspaceSuite, type WorkspaceSubject } from "@opensymphony/core/testing"
import { Effect, type FileSystem, Layer, type Path, type Scope } from "effect"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { join } from "node:path"
import { ProcessProbe } from "../../src/process/ProcessProbe.ts"
import type { HookScripts } from "../../src/workspace/FilesystemWorkspaces.ts"
import * as Fixture from "../workspace/Fixture.ts"

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

const settings = {
  after_create: "afterCreate",
  before_run: "beforeRun",
  after_run: "afterRun",
  before_remove: "beforeRemove"
} as const satisfies { readonly [Hook in HookName]: keyof HookScripts }

/** The probe of an orchestrator that died since: all that it writes down is by a process that is not there. */
const crashed = Layer.effect(
  ProcessProbe,
  Effect.map(ProcessProbe, (probe) => ProcessProbe.of({ ...probe, self: Fixture.deadOwner }))
)

const populated = (withGit: boolean): WorkspaceSubject<Services> => ({
  make: Effect.fnUntraced(function* (failing) {
    const context = yield* Effect.context<Services | Scope.Scope>()
    const directory = yield* Fixture.temporaryDirectory
    const clone = withGit ? `git clone --quiet "${Fixture.makeOrigin(directory)}" .` : null
    const failures = Object.fromEntries(failing.map((hook) => [settings[hook], "exit 1"]))
    const root = { root: join(directory, "root"), hooks: { afterCreate: clone, ...failures } }
    let works = 0
    return {
      workspaces: yield* Effect.provide(Fixture.backend(root), crashed),
      restart: Effect.provideContext(Fixture.backend(root), context),
      work: ({ path }) => Effect.sync(() => Fixture.write(join(path, "work.txt"), `piece ${++works}\n`)),
      leaveUnsaved: ({ path }) =>
        Effect.sync(() => {
          // Without a repository nothing counts as work that could be lost.
          if (!withGit) Fixture.git(path, "init", "--quiet")
          Fixture.write(join(path, "unsaved.txt"), "nobody else has this\n")
        }),
      exists: ({ path }) => Effect.sync(() => Fixture.existsSync(path)),
      startProcess: ({ path }) => Effect.provideContext(Fixture.strayProcess(path), context),
      runs: (pid) => Effect.sync(() => Fixture.groupRuns(pid))
    }
  })
})

describe("FilesystemWorkspaces", () => {
  for (const { effect, name } of workspaceSuite(populated(false))) {
    it.live(name, () => Effect.provide(effect, Fixture.platform))
  }
})

describe("FilesystemWorkspaces with a repository in them", () => {
  for (const { effect, name } of workspaceSuite(populated(true))) {
    it.live(name, () => Effect.provide(effect, Fixture.platform))
  }
})
