/** `opensymphony install openhands`: one installation at a time, ended by a signal. Returns the exit status. */
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import * as Installation from "@opensymphony/adapters-openhands/server/Installation"
import { pinnedVersion, serverModule } from "@opensymphony/adapters-openhands/server/Pin"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type * as Scope from "effect/Scope"
import { redactor } from "../Secrets.ts"
import * as Signals from "../Signals.ts"
import { InstallError } from "./InstallError.ts"
import * as Installer from "./Installer.ts"

export interface InstallOptions {
  /** Interpreter to use; null: one is looked for. */
  readonly python: string | null
  /** Where to put it, relative to the working directory; null: the usual place, where `run` looks. */
  readonly directory: string | null
  /** Shows a line of progress. */
  readonly print: (line: string) => void
}

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

const lookAgainMs = 1_000
/** Longer than an installation takes. */
const maxLooks = 4_000

/** Waits for another installation to end. */
const takeTurn = Effect.fnUntraced(function* (
  base: string,
  print: InstallOptions["print"]
): Effect.fn.Return<void, InstallError, Services | Scope.Scope> {
  const acquire = RootLock.acquire({ root: base, workflowPath: "opensymphony install openhands" })
  for (let look = 0; look < maxLooks; look++) {
    const taken = yield* acquire.pipe(
      Effect.as(null),
      Effect.catchTag("RootLocked", ({ pid }) => Effect.succeed(pid)),
      Effect.mapError(({ message }) => new InstallError({ message }))
    )
    if (taken === null) return
    if (look === 0) print(`process ${taken} is installing already; waiting for it`)
    yield* Effect.sleep(lookAgainMs)
  }
  return yield* new InstallError({ message: "another installation does not end; look at it and try again" })
})

const placeOf = Effect.fnUntraced(function* (directory: string | null, environment: Environment) {
  const path = yield* Path.Path
  const base = Installation.baseDirectory(environment)
  const usual = Installation.usual(environment)
  if (base === null || usual === null) {
    return yield* new InstallError({ message: "there is no place to install to: set HOME or XDG_DATA_HOME" })
  }
  return { base, installation: directory === null ? usual : Installation.at(path.resolve(directory)) }
})

const told: { readonly [Outcome in Installer.InstallOutcome]: string } = {
  present: "is installed already",
  installed: "is installed",
  repaired: "is installed again"
}

/** Installs until it is done or a signal comes; the status is what the process should exit with. */
export const install = Effect.fnUntraced(function* (
  options: InstallOptions,
  environment: Environment
): Effect.fn.Return<number, InstallError, Services> {
  const redact = redactor(environment)
  const print = (line: string) => options.print(redact(line))
  const { base, installation } = yield* placeOf(options.directory, environment)
  const work = Effect.gen(function* () {
    yield* takeTurn(base, print)
    const { python } = options
    const outcome = yield* Installer.install({ environment, print }, { installation, python })
    yield* Console.log(`the OpenHands agent-server ${pinnedVersion} ${told[outcome]} in ${installation.directory}`)
    if (options.directory !== null) {
      const command = JSON.stringify([installation.python, "-m", serverModule])
      yield* Console.log(`to use it from there: openhands: {local_server: {command: ${command}}}`)
    }
    return 0
  }).pipe(Effect.scoped)
  return yield* Effect.gen(function* () {
    const signal = yield* Signals.first
    const stopped = Effect.map(Deferred.await(signal), (name) => Signals.exitStatus[name])
    return yield* Effect.raceFirst(work, stopped)
  }).pipe(
    Effect.scoped,
    Effect.mapError(({ message }) => new InstallError({ message: redact(message) }))
  )
})
