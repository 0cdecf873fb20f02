/** What a tool of the fake's agent does outside the server: files and real commands in the workspace. */
import { spawn } from "node:child_process"
import { appendFile, mkdir, writeFile } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import type { ToolContext, ToolEffect } from "./TurnScript.ts"

/** What came of it. */
export interface ToolResult {
  readonly output: string
  readonly exitCode: number
}

/** How much of a command's output an observation carries, as the agent-server cuts it. */
const MAX_OUTPUT = 30_000

/** Carries an effect out; rejects when its signal ends it. */
export const perform = async (effect: ToolEffect | undefined, context: ToolContext): Promise<ToolResult> => {
  if (effect === undefined) return { output: "", exitCode: 0 }
  switch (effect.type) {
    case "write": {
      const path = resolve(context.workspace, effect.path)
      await mkdir(dirname(path), { recursive: true })
      await (effect.append === true ? appendFile : writeFile)(path, effect.content)
      return { output: `File created successfully at: ${path}`, exitCode: 0 }
    }
    case "shell":
      return runShell(effect.command, context)
    case "call":
      return { output: (await effect.call(context)) ?? "", exitCode: 0 }
  }
}

const runShell = (command: string, { workspace, signal }: ToolContext): Promise<ToolResult> =>
  new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], { cwd: workspace, stdio: ["ignore", "pipe", "pipe"], detached: true })
    let output = ""
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-MAX_OUTPUT)
    }
    const stop = () => {
      // The whole group: a command's own children go with it.
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
      } catch {
        // It ended by itself meanwhile.
      }
    }
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    child.once("error", reject)
    child.once("close", (code) => {
      signal.removeEventListener("abort", stop)
      resolve({ output: output.trimEnd(), exitCode: code ?? 130 })
    })
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop, { once: true })
  })
