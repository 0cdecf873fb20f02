// Runs a program to its end, as the tests in this folder need it: with all it printed, and never for longer than a limit.
import { spawn } from "node:child_process"
import * as Path from "node:path"
import { repository } from "./SourceFile.ts"

export interface Finished {
  readonly pid: number | undefined
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}

const programs = Path.join(repository, "node_modules", ".bin")

/** The environment of a shell in which `node` is the one that runs the tests, without what `npm test` left in it. */
export const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)|^npm_config_local_prefix$|^INIT_CWD$/.test(name))
  ),
  PATH: [Path.dirname(process.execPath), ...(process.env["PATH"] ?? "").split(Path.delimiter)]
    .filter((directory) => directory !== programs)
    .join(Path.delimiter)
}

export function run(command: string, args: ReadonlyArray<string>, options: Options): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 20_000,
      killSignal: "SIGKILL"
    })
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const chunks: Array<string> = []
      stream.setEncoding("utf8").on("data", (chunk: string) => chunks.push(chunk))
      return () => chunks.join("")
    })
    child.on("error", reject)
    child.on("close", (exitCode) => {
      resolve({ pid: child.pid, exitCode, stdout: stdout?.() ?? "", stderr: stderr?.() ?? "" })
    })
  })
}
