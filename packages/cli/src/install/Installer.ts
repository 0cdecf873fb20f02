/**
 * Puts the pinned agent-server into a Python environment of its own. A file beside the environment says that it is
 * unfinished, one inside that it is whole: a broken or half-made one is made anew, and nothing else is ever removed.
 */
import * as Installation from "@opensymphony/adapters-openhands/server/Installation"
import { pinnedPackages, pinnedVersion } from "@opensymphony/adapters-openhands/server/Pin"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { InstallError } from "./InstallError.ts"
import * as Python from "./Python.ts"
import * as Tool from "./Tool.ts"

type Services = FileSystem.FileSystem | Path.Path | Tool.ToolServices

const minuteMs = 60_000
const makeMs = 5 * minuteMs
const fetchMs = 60 * minuteMs
const verifyMs = 5 * minuteMs

const requirements = pinnedPackages.map((name) => `${name}==${pinnedVersion}`)

/** Imports what the server imports, and tells the versions. */
const verification =
  "import openhands.agent_server.api; from importlib.metadata import version; " +
  `print('opensymphony-versions', *[version(name) for name in ${JSON.stringify(pinnedPackages)}])`
const expected = `opensymphony-versions${` ${pinnedVersion}`.repeat(pinnedPackages.length)}`

/** Why an installation does not work; null when it does. */
const problemOf = Effect.fnUntraced(function* (tools: Tool.Tools, { python }: Installation.Installation) {
  const fs = yield* FileSystem.FileSystem
  // What is imported may leave files in the working directory.
  const cwd = yield* fs.makeTempDirectoryScoped({ prefix: "opensymphony-install-" })
  const words = [python, "-c", verification]
  const { said, succeeded } = yield* Tool.run(tools, { words, cwd, timeoutMs: verifyMs, isShown: false })
  if (succeeded && said.includes(expected)) return null
  return succeeded ? `it holds other versions than ${pinnedVersion}` : said
}, Effect.scoped)

const orInstallError =
  (doing: string, path: string) =>
  <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, InstallError, R> =>
    Effect.mapError(
      effect,
      ({ reason }) => new InstallError({ message: `cannot ${doing} ${path} (${reason._tag}); mend that and try again` })
    )

/** Removes what an earlier attempt left; refuses a directory that is somebody else's. */
const makeRoom = Effect.fnUntraced(function* ({ directory, marker }: Installation.Installation, unfinished: string) {
  const fs = yield* FileSystem.FileSystem
  const entries = yield* Effect.orElseSucceed(fs.readDirectory(directory), () => [])
  const isThere = yield* fs.exists(directory).pipe(orInstallError("look at", directory))
  const isOurs =
    (yield* Effect.orElseSucceed(fs.exists(marker), () => false)) ||
    (yield* Effect.orElseSucceed(fs.exists(unfinished), () => false))
  if (isThere && entries.length > 0 && !isOurs) {
    const message = `${directory} is not empty and was not made by this command; name another one with --directory`
    return yield* new InstallError({ message })
  }
  yield* fs
    .makeDirectory(directory.slice(0, directory.lastIndexOf("/")) || "/", { recursive: true })
    .pipe(orInstallError("create", directory))
  yield* fs
    .writeFileString(unfinished, "opensymphony is installing here, or was interrupted\n")
    .pipe(orInstallError("write", unfinished))
  yield* fs.remove(directory, { recursive: true, force: true }).pipe(orInstallError("remove", directory))
})

const withUv = (
  tools: Tool.Tools,
  python: Python.Python | null,
  { directory, python: inside }: Installation.Installation,
  cwd: string
) =>
  Effect.gen(function* () {
    const choice = python?.path ?? "3.12"
    const made = yield* Tool.run(tools, {
      words: ["uv", "venv", "--python", choice, directory],
      cwd,
      timeoutMs: makeMs,
      isShown: true
    })
    if (!made.succeeded) return made
    const words = ["uv", "pip", "install", "--python", inside, ...requirements]
    return yield* Tool.run(tools, { words, cwd, timeoutMs: fetchMs, isShown: true })
  })

const withPip = (
  tools: Tool.Tools,
  python: Python.Python,
  { directory, python: inside }: Installation.Installation,
  cwd: string
) =>
  Effect.gen(function* () {
    const made = yield* Tool.run(tools, {
      words: [python.path, "-m", "venv", "--clear", directory],
      cwd,
      timeoutMs: makeMs,
      isShown: true
    })
    if (!made.succeeded) return made
    const words = [inside, "-m", "pip", "install", "--progress-bar", "off", ...requirements]
    return yield* Tool.run(tools, { words, cwd, timeoutMs: fetchMs, isShown: true })
  })

const hasUv = (tools: Tool.Tools) =>
  Effect.map(
    Tool.run(tools, { words: ["uv", "--version"], cwd: "/", timeoutMs: 30_000, isShown: false }),
    ({ said, succeeded }) => succeeded && said.startsWith("uv ")
  )

const nothingFound =
  "neither uv nor a Python of version 3.12 or later was found on the PATH or in pyenv; install one of them " +
  "(https://docs.astral.sh/uv or https://www.python.org), or name an interpreter with --python"

const fill = Effect.fnUntraced(function* (
  tools: Tool.Tools,
  installation: Installation.Installation,
  chosen: string | null
): Effect.fn.Return<void, InstallError, Services> {
  const path = yield* Path.Path
  const cwd = path.dirname(installation.directory)
  const python = chosen === null ? yield* Python.find(tools) : yield* Python.given(tools, chosen)
  const uv = yield* hasUv(tools)
  if (python === null && !uv) return yield* new InstallError({ message: nothingFound })
  const fs = yield* FileSystem.FileSystem
  const tell = (what: string) =>
    tools.print(`installing ${requirements.join(", ")} ${what} into ${installation.directory}`)
  if (uv) {
    tell(python === null ? "with uv and a Python 3.12 of its choice" : `with uv and Python ${python.version}`)
    const done = yield* withUv(tools, python, installation, cwd)
    if (done.succeeded) return
    if (python === null) return yield* new InstallError({ message: `uv could not install: ${done.said}` })
    tools.print("uv could not install; trying pip")
    yield* fs
      .remove(installation.directory, { recursive: true, force: true })
      .pipe(orInstallError("remove", installation.directory))
  }
  if (python === null) return
  tell(`with pip and Python ${python.version} (${python.path})`)
  const done = yield* withPip(tools, python, installation, cwd)
  if (done.succeeded) return
  const message =
    `${python.path} could not install the OpenHands agent-server; see above, mend it, and run this command again. ` +
    `It needs the modules venv and pip, and a package index that has the packages. The last lines: ${done.said}`
  return yield* new InstallError({ message })
})

export interface InstallRequest {
  readonly installation: Installation.Installation
  /** Interpreter that must be used; null: one is looked for. */
  readonly python: string | null
}

export type InstallOutcome = "present" | "installed" | "repaired"

/** Makes sure that the installation is there and works. One at a time: see {@link InstallProgram}. */
export const install = Effect.fnUntraced(function* (
  tools: Tool.Tools,
  { installation, python }: InstallRequest
): Effect.fn.Return<InstallOutcome, InstallError, Services> {
  const fs = yield* FileSystem.FileSystem
  const unfinished = `${installation.directory}.unfinished`
  const verify = problemOf(tools, installation).pipe(orInstallError("make", "a temporary directory"))
  const wasMade = yield* Installation.isWhole(installation)
  const wasBegun = yield* Effect.orElseSucceed(fs.exists(unfinished), () => false)
  if (wasMade && !wasBegun) {
    tools.print(`checking ${installation.directory}`)
    const problem = yield* verify
    if (problem === null) return "present"
    tools.print(`${installation.directory} is broken and is made anew: ${problem.split("\n").slice(-3).join(" ")}`)
  } else if (wasBegun)
    tools.print(`an earlier installation in ${installation.directory} was not finished; it is made anew`)
  yield* makeRoom(installation, unfinished)
  yield* fill(tools, installation, python)
  tools.print("checking that it works")
  const problem = yield* verify
  if (problem !== null) {
    return yield* new InstallError({ message: `the server was installed and does not work: ${problem}` })
  }
  yield* fs
    .writeFileString(installation.marker, `${pinnedVersion}\n`)
    .pipe(orInstallError("write", installation.marker))
  yield* fs.remove(unfinished, { force: true }).pipe(orInstallError("remove", unfinished))
  return wasMade || wasBegun ? "repaired" : "installed"
})
