/** The agent-server from its Python packages as a subject of the contract, with the scripted model behind its agent. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { ScriptedModel } from "../../src/testing/index.ts"
import type { Subject } from "./Subject.ts"

/** A cold import of the server's packages takes that long on a busy machine. */
const READY_MS = 120_000

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()))
    })
  })

export const start = async (python: string): Promise<Subject> => {
  const root = mkdtempSync(join(tmpdir(), "agent-server-"))
  const model = await ScriptedModel.start()
  const port = await freePort()
  let child = await launch(python, root, port)
  let workspaces = 0
  return {
    url: () => `http://127.0.0.1:${port}`,
    key: "contract-key",
    llm: () => ({
      model: "openai/scripted",
      base_url: model.baseUrl,
      api_key: "test-key",
      usage_id: "agent",
      num_retries: 0,
      timeout: 20,
      stream: false,
      api_mode: "chat",
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6
    }),
    workspace: () => join(root, `workspace-${++workspaces}`),
    script: model.script,
    restart: async (signal) => {
      await end(child, signal)
      child = await launch(python, root, port)
    },
    close: async () => {
      await end(child, "SIGKILL")
      await model.close()
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

const launch = async (python: string, root: string, port: number): Promise<ChildProcess> => {
  const path = (name: string) => join(root, name)
  for (const name of ["home", "tmp"]) mkdirSync(path(name), { recursive: true })
  const child = spawn(python, ["-m", "openhands.agent_server", "--host", "127.0.0.1", "--port", String(port)], {
    cwd: root,
    // A group of its own: what the agent's terminals started goes with it.
    detached: true,
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
      HOME: path("home"),
      TMPDIR: path("tmp"),
      LANG: "C.UTF-8",
      TZ: "UTC",
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
      LITELLM_LOCAL_MODEL_COST_MAP: "True",
      // Its default handler draws a traceback for seconds, and nothing else is answered meanwhile.
      LOG_JSON: "1",
      OH_ENABLE_VSCODE: "0",
      OH_PRELOAD_TOOLS: "0",
      OH_LEASE_TTL_SECONDS: "0",
      OH_SECRET_KEY: "a-secret-key-of-the-contract-tests",
      OH_SESSION_API_KEYS_0: "contract-key",
      OH_CONVERSATIONS_PATH: path("conversations"),
      OH_BASH_EVENTS_DIR: path("bash-events"),
      OH_PERSISTENCE_DIR: path("persistence")
    }
  })
  for (let waited = 0; waited < READY_MS; waited += 200) {
    if (child.exitCode !== null)
      throw new Error(`the agent-server ended with status ${child.exitCode} before it was ready`)
    const response = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined)
    if (response?.status === 200) return child
    await sleep(200)
  }
  await end(child, "SIGKILL")
  throw new Error(`the agent-server was not ready after ${READY_MS} ms`)
}

const end = async (child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once("exit", resolve))
  // A clean stop is told to the server alone; a kill takes its whole group.
  process.kill(signal === "SIGTERM" ? child.pid : -child.pid, signal)
  await exited
}
