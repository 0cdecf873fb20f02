/** Finds a Python that the agent-server runs on: 3.12 or later. */
import { lookUp } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { InstallError } from "./InstallError.ts"
import * as Tool from "./Tool.ts"

export interface Python {
  /** Absolute path of the interpreter itself, not of a wrapper that chooses one. */
  readonly path: string
  readonly version: string
}

/** The packages ask for 3.12 or later; tried in this order, because others have wheels for these for sure. */
const names = ["python3.12", "python3.13", "python3.14", "python3", "python"]
const lowest = { major: 3, minor: 12 }
const askMs = 30_000

const question = "import sys; print('opensymphony-python', '%d.%d.%d' % sys.version_info[:3], sys.executable)"
const answer = /^opensymphony-python (\d+)\.(\d+)\.(\d+) (\/.+)$/m

const isEnough = (major: number, minor: number): boolean =>
  major > lowest.major || (major === lowest.major && minor >= lowest.minor)

/** What a command turns out to be; null when it is no Python. */
const ask = Effect.fnUntraced(function* (tools: Tool.Tools, command: string) {
  const { said } = yield* Tool.run(tools, {
    words: [command, "-c", question],
    cwd: "/",
    timeoutMs: askMs,
    isShown: false
  })
  const match = answer.exec(said)
  if (match === null) return null
  const [, major = "", minor = "", patch = "", path = ""] = match
  const python: Python = { path: path.trim(), version: `${major}.${minor}.${patch}` }
  return { python, isEnough: isEnough(Number(major), Number(minor)) }
})

/** Interpreters of pyenv, which its wrappers on the path hide unless they are chosen; newest first. */
const inPyenv = Effect.fnUntraced(function* ({ environment }: Tool.Tools) {
  const fs = yield* FileSystem.FileSystem
  const home = lookUp(environment, "HOME")
  const root = lookUp(environment, "PYENV_ROOT") ?? (home === null ? null : `${home}/.pyenv`)
  if (root === null) return []
  const versions = yield* Effect.orElseSucceed(fs.readDirectory(`${root}/versions`), () => [])
  const numbered = versions.flatMap((name) => {
    const match = /^(\d+)\.(\d+)\.\d+$/.exec(name)
    return match !== null && isEnough(Number(match[1]), Number(match[2])) ? [name] : []
  })
  const byNumber = (self: string, that: string) => that.localeCompare(self, "en", { numeric: true })
  return numbered.sort(byNumber).map((name) => `${root}/versions/${name}/bin/python`)
})

/** The given interpreter, which must do. */
export const given = Effect.fnUntraced(function* (
  tools: Tool.Tools,
  command: string
): Effect.fn.Return<Python, InstallError, Tool.ToolServices> {
  const found = yield* ask(tools, command)
  if (found?.isEnough === true) return found.python
  const problem = found === null ? "is no Python that can be run" : `is Python ${found.python.version}`
  return yield* new InstallError({
    message: `${command} ${problem}; name an interpreter of version 3.12 or later with --python`
  })
})

/** The first that does, of those on the path and those of pyenv; null when there is none. */
export const find = Effect.fnUntraced(function* (
  tools: Tool.Tools
): Effect.fn.Return<Python | null, never, Tool.ToolServices | FileSystem.FileSystem> {
  for (const command of [...names, ...(yield* inPyenv(tools))]) {
    const found = yield* ask(tools, command)
    if (found?.isEnough === true) return found.python
  }
  return null
})
