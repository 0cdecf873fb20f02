/**
 * Where `opensymphony install openhands` puts the pinned server, and how a whole installation is told from a broken one.
 * Installing is the command's own matter.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { lookUp, type Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { pinnedVersion } from "./Pin.ts"

export interface Installation {
  /** Absolute path of the Python environment. */
  readonly directory: string
  /** Its interpreter. */
  readonly python: string
  /** Written last: without it the installation is not whole. */
  readonly marker: string
}

export class NotInstalled extends Data.TaggedError("NotInstalled")<{
  /** What is missing where, and what to run. */
  readonly message: string
}> {}

export const at = (directory: string): Installation => ({
  directory,
  python: `${directory}/bin/python`,
  marker: `${directory}/opensymphony-installed`
})

/** The directory of this user that holds all installations; null without a home. XDG Base Directory Specification. */
export const baseDirectory = (environment: Environment): string | null => {
  const data = lookUp(environment, "XDG_DATA_HOME")
  if (data?.startsWith("/")) return `${data.replace(/\/+$/, "")}/opensymphony/openhands`
  const home = lookUp(environment, "HOME")
  return home === null ? null : `${home.replace(/\/+$/, "")}/.local/share/opensymphony/openhands`
}

/** Where the pinned version belongs; null without a home. */
export const usual = (environment: Environment): Installation | null => {
  const base = baseDirectory(environment)
  return base === null ? null : at(`${base}/${pinnedVersion}`)
}

/** Whether everything was installed there, as its marker says. */
export const isWhole = ({ marker, python }: Installation): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const version = yield* fs.readFileString(marker)
    return version.trim() === pinnedVersion && (yield* fs.exists(python))
  }).pipe(Effect.orElseSucceed(() => false))

const remedy =
  "run `opensymphony install openhands`, or name a server of your own in openhands.local_server.command or " +
  "openhands.transport.base_url"

/** The installation of the pinned version. */
export const find = Effect.fnUntraced(function* (
  environment: Environment
): Effect.fn.Return<Installation, NotInstalled, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const installation = usual(environment)
  const what = `the OpenHands agent-server ${pinnedVersion}`
  if (installation === null) {
    const message = `${what} cannot be looked for, because neither HOME nor XDG_DATA_HOME is set; set HOME, then ${remedy}`
    return yield* new NotInstalled({ message })
  }
  if (yield* isWhole(installation)) return installation
  const isThere = yield* Effect.orElseSucceed(fs.exists(installation.directory), () => false)
  const problem = isThere ? `is only partly installed in ${installation.directory}` : "is not installed"
  return yield* new NotInstalled({ message: `${what} ${problem}; ${remedy}` })
})
