// The built opensymphony on the real agent-server, which it starts itself, with a scripted model behind its agents.
import { type ModelScript, ScriptedModel } from "@opensymphony/adapters-openhands/testing"
import * as Path from "node:path"
import { type IssueFile, issueText, type Orchestrator, Project, type Settings } from "../../system/Harness.ts"
import { isAlive } from "../../system/Processes.ts"

/** An interpreter that has the pinned server. */
export const python = process.env["OPENSYMPHONY_OPENHANDS_PYTHON"] ?? ""

export const modelKey = "key-of-the-model"
/** From the start of the server until it is ready, on a busy machine. */
export const startMs = 180_000
/** Whatever an agent is waited for. */
export const patienceMs = 60_000

const programs = Path.resolve(import.meta.dirname, "..", "..", "..", "node_modules", ".bin")

/** With the commands of this repository, so that agents find `opensymphony`. */
const searchPath = [programs, Path.dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(Path.delimiter)

export const llm = (model: ScriptedModel.ScriptedModel): Settings => ({
  model: "openai/scripted",
  base_url: model.baseUrl,
  api_key_env: "LLM_API_KEY",
  num_retries: 0,
  timeout: 60,
  input_cost_per_token: 1e-6,
  output_cost_per_token: 2e-6
})

const settingsOf = (model: ScriptedModel.ScriptedModel): Settings => ({
  runtime: { kind: "openhands" },
  agent: {
    max_concurrent_agents: 12,
    stop_timeout_ms: 30_000,
    shutdown_timeout_ms: 60_000,
    handoff_grace_ms: 8_000,
    launch_timeout_ms: startMs
  },
  openhands: {
    local_server: { command: [python, "-m", "openhands.agent_server"], startup_timeout_ms: startMs },
    conversation: { agent: { llm: llm(model) } }
  }
})

interface ServerRecord {
  readonly pid: number
}

/** One project with one server, for tests one after the other. */
export class Stage implements AsyncDisposable {
  readonly project: Project
  readonly model: ScriptedModel.ScriptedModel
  readonly #env: { readonly [name: string]: string }
  #orchestrator: Orchestrator | undefined

  private constructor(project: Project, model: ScriptedModel.ScriptedModel, env: { readonly [name: string]: string }) {
    this.project = project
    this.model = model
    this.#env = { PATH: searchPath, LLM_API_KEY: modelKey, ...env }
  }

  /** With more settings than every stage has, and more in the environment of its orchestrators. */
  static async make(settings: Settings = {}, env: { readonly [name: string]: string } = {}): Promise<Stage> {
    const model = await ScriptedModel.start({ apiKeys: [modelKey] })
    return new Stage(Project.make({ settings: { ...settingsOf(model), ...settings }, issues: {} }), model, env)
  }

  /** The orchestrator that runs; started when none does. */
  get orchestrator(): Orchestrator {
    if (this.#orchestrator?.isRunning !== true) {
      const args = ["run", "--log-format", "json", "--log-level", "debug"]
      this.#orchestrator = this.project.start(args, { env: this.#env })
    }
    return this.#orchestrator
  }

  /** What the model answers to the prompt of an issue. */
  script(identifier: string, steps: ModelScript.ModelScript["steps"]): void {
    this.model.script({ marker: `Work on ${identifier}.`, steps })
  }

  /** Puts an issue on the board, with what the model answers to its prompt. */
  add(stem: string, steps: ModelScript.ModelScript["steps"], issue: IssueFile = {}): void {
    this.script(stem, steps)
    this.project.write(`issues/${stem}.md`, issueText(stem, issue))
  }

  /** Waits for a line of the present orchestrator's log about this issue. */
  async said(stem: string, pattern: RegExp, timeoutMs = patienceMs): Promise<string> {
    const { orchestrator } = this
    const about = `"issue_identifier":"${stem}"`
    const ask = () =>
      orchestrator.stderr
        .split("\n")
        .slice(0, -1)
        .find((line) => line.includes(about) && pattern.test(line))
    return orchestrator.until(`a line like ${pattern} about ${stem}`, ask, timeoutMs)
  }

  /** The sessions that log lines about this issue name, over all orchestrators so far. */
  sessions(stem: string, orchestrators: ReadonlyArray<Orchestrator> = [this.orchestrator]): ReadonlySet<string> {
    const lines = orchestrators.flatMap(({ stderr }) => stderr.split("\n").slice(0, -1))
    return new Set(
      lines
        .filter((line) => line.includes(`"issue_identifier":"${stem}"`))
        .map((line) => (JSON.parse(line) as { session_id?: string }).session_id)
        .filter((session) => session !== undefined)
    )
  }

  /** The server's process. */
  serverPid(): number {
    const text = this.project.read("workspaces/.opensymphony/openhands/server.json")
    return text === "" ? 0 : (JSON.parse(text) as ServerRecord).pid
  }

  /** A file in the workspace of an issue; empty when there is none. */
  read(stem: string, name: string): string {
    return this.project.read(Path.join("workspaces", stem, name))
  }

  /** Waits until a command of the agent has written its process id to this file, and proves that it lives. */
  async commandOf(stem: string, file = "command.pid"): Promise<number> {
    const pid = await this.orchestrator.until(
      `the command of ${stem}`,
      () => Number(this.read(stem, file).trim()) || null,
      startMs
    )
    if (!isAlive(pid)) throw new Error(`the command of ${stem} ended at once`)
    return pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Told to end, it takes its server along and what that has outside of the project.
    if (this.#orchestrator?.isRunning === true) {
      this.#orchestrator.signal("SIGTERM")
      await this.#orchestrator.exit(patienceMs).catch(() => undefined)
    }
    await this.project[Symbol.asyncDispose]()
    await this.model.close()
  }
}

/** Shell text that writes its process id and then does nothing for longer than any test. */
export const longCommand = "sh -c 'echo $$ > command.pid; exec sleep 4711'"

/** Shell text by which an agent moves its issue. */
export const move = (stem: string, state: string): string => `opensymphony issue move ${stem} ${state}`
