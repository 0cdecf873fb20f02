// `npm run test:live:openhands [-- DIRECTORY]`: our suite and the contract of the fake, on the real agent-server. Its Python
// is that of OPENSYMPHONY_OPENHANDS_PYTHON; without that the pinned version is installed by our own command, into DIRECTORY
// or below node_modules/.cache, and kept. Exit status: that of the tests; 0 where the server cannot be had.
import { pinnedVersion } from "@opensymphony/adapters-openhands/server/Pin"
import { type ChildProcess, spawn } from "node:child_process"
import * as Path from "node:path"
import { setup as bundle } from "../../system/Bundle.ts"

const repository = Path.resolve(import.meta.dirname, "..", "..", "..")
const installMs = 20 * 60_000
const killMs = 20_000
const pythonVariable = "OPENSYMPHONY_OPENHANDS_PYTHON"

const running = new Set<ChildProcess>()
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal)
  })
}

interface Ended {
  /** Null when a signal ended it. */
  readonly status: number | null
  /** The last line that it wrote to stderr. */
  readonly lastLine: string
}

/** Runs a program of this repository and shows what it says; a program that takes too long is told to end, then ended. */
const run = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv, limitMs: number | null): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: repository, env, stdio: ["ignore", "inherit", "pipe"] })
    running.add(child)
    let tail = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      process.stderr.write(text)
      tail = (tail + text).slice(-4_000)
    })
    const timers =
      limitMs === null
        ? []
        : [setTimeout(() => child.kill("SIGTERM"), limitMs), setTimeout(() => child.kill("SIGKILL"), limitMs + killMs)]
    child.on("error", reject)
    child.on("close", (status) => {
      running.delete(child)
      for (const timer of timers) clearTimeout(timer)
      resolve({ status, lastLine: tail.trim().split("\n").at(-1) ?? "" })
    })
  })

const skip = (why: string): never => {
  process.stdout.write(`SKIPPED: ${why}\n`)
  process.exit(0)
}

const seconds = (sinceMs: number): string => `${Math.round((performance.now() - sinceMs) / 1_000)} s`

/** The interpreter of an installation that is made or mended here. */
const installed = async (): Promise<string> => {
  const usual = Path.join("node_modules", ".cache", "opensymphony", `openhands-${pinnedVersion}`)
  const directory = Path.resolve(repository, process.argv[2] ?? usual)
  const opensymphony = Path.join(repository, "node_modules", ".bin", "opensymphony")
  const since = performance.now()
  const args = [opensymphony, "install", "openhands", "--directory", directory]
  const { lastLine, status } = await run(args, process.env, installMs)
  const tookMs = performance.now() - since
  if (status === 0) {
    process.stderr.write(`the agent-server was there after ${seconds(since)}\n`)
    return Path.join(directory, "bin", "python")
  }
  if (tookMs >= installMs) return skip(`the agent-server was not installed within ${installMs / 60_000} minutes`)
  // What the command could not do it says; anything else is a fault of the command.
  if (status === 1) return skip(lastLine)
  process.stderr.write(`opensymphony install openhands ended with ${status ?? "a signal"}\n`)
  return process.exit(status ?? 1)
}

bundle()
const given = process.env[pythonVariable]?.trim() ?? ""
const python = given === "" ? await installed() : given
const since = performance.now()
const vitest = Path.join(repository, "node_modules", "vitest", "vitest.mjs")
const config = Path.join(import.meta.dirname, "vitest.config.ts")
const { status } = await run([vitest, "run", "--config", config], { ...process.env, [pythonVariable]: python }, null)
process.stderr.write(`the tests on the real agent-server took ${seconds(since)}\n`)
process.exit(status ?? 1)
