// A project of its own for each test, in a temporary directory: WORKFLOW.md, issue files, an agent. And the built
// opensymphony on it, as a process of its own.
//
//   await using project = Project.make({ settings: { limits: { max_failures: 2 } }, issues: { "A-1": { priority: 1 } } })
//   const { code, summary } = await project.start(["run", "--until-idle"]).exit()
//
// At the end of the scope every process that the test started is killed, and the directory removed.
import { type ChildProcess, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { type Process, isAlive, processesWith } from "./Processes.ts"
import { until } from "./Until.ts"

const repository = Path.resolve(import.meta.dirname, "..", "..")
const programs = Path.join(repository, "node_modules", ".bin")

/** The front matter of an issue file; `body` is what comes below it. Title and state have defaults. */
export interface IssueFile {
  readonly [key: string]: unknown
  readonly body?: string
}

/** A map of the front matter of WORKFLOW.md. */
export interface Settings {
  readonly [key: string]: unknown
}

export interface ProjectOptions {
  /** Merged into the defaults, key by key. */
  readonly settings?: Settings
  readonly prompt?: string
  /** By file name without `.md`, which is also the identifier unless the front matter says otherwise; or the whole text. */
  readonly issues: { readonly [stem: string]: IssueFile | string }
  /** Shell text of one turn. `move STATE`, on its PATH, moves the issue that it works on. */
  readonly agent?: string
  /** More files, by path in the project. */
  readonly files?: { readonly [path: string]: string }
}

export interface StartOptions {
  /** Added to a small environment of the project's own; nothing of the environment of the tests is inherited. */
  readonly env?: { readonly [name: string]: string }
  readonly cwd?: string
}

const defaults: Settings = {
  tracker: { kind: "files", path: "issues" },
  polling: { interval_ms: 250 },
  workspace: { root: "workspaces", remove: "never" },
  agent: { max_retry_backoff_ms: 50, stop_timeout_ms: 6_000, shutdown_timeout_ms: 15_000, handoff_grace_ms: 5_000 },
  command: { run: 'exec sh "${OPENSYMPHONY_WORKFLOW%/*}/agent.sh"' }
}

const isMap = (value: unknown): value is Settings =>
  typeof value === "object" && value !== null && !Array.isArray(value)

function merge(base: Settings, over: Settings): Settings {
  const keys = new Set([...Object.keys(base), ...Object.keys(over)])
  const entries = [...keys].map((key) => {
    const [below, above] = [base[key], over[key]]
    if (!(key in over)) return [key, below]
    return [key, isMap(below) && isMap(above) ? merge(below, above) : above]
  })
  return Object.fromEntries(entries)
}

/** JSON is YAML; one line per top-level key. */
const frontMatter = (map: Settings): string =>
  `---\n${Object.entries(map)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join("")}---\n`

export const workflowText = (settings: Settings = {}, prompt = "Work on {{ issue.identifier }}."): string =>
  `${frontMatter(merge(defaults, settings))}${prompt}\n`

/** The id is the file name, so that `move` finds the file of an issue whatever its identifier is. */
export function issueText(stem: string, { body = "", ...keys }: IssueFile): string {
  return `${frontMatter({ id: stem, title: `About ${stem}`, state: "Todo", ...keys })}${body}\n`
}

/** Replaces the file in one step: whoever watches the folder sees the old text or the new one. */
const move = `#!/bin/sh
set -e
file=\${OPENSYMPHONY_WORKFLOW%/*}/issues/$OPENSYMPHONY_ISSUE_ID.md
sed "s/^state:.*/state: $1/" "$file" >"$file.$$"
mv "$file.$$" "$file"
`

/** The files of one test and the processes that work on them. */
export class Project implements AsyncDisposable {
  /** Absolute, without symbolic links, and unlike the directory of any other test: marks every process of this one. */
  readonly directory: string
  readonly #started: Array<Orchestrator> = []

  private constructor(directory: string) {
    this.directory = directory
  }

  static make(options: ProjectOptions): Project {
    const directory = Fs.realpathSync(Fs.mkdtempSync(Path.join(Os.tmpdir(), "opensymphony-system-")))
    const project = new Project(directory)
    for (const name of ["tmp", "home", "issues"]) Fs.mkdirSync(Path.join(directory, name))
    project.write("WORKFLOW.md", workflowText(options.settings, options.prompt))
    project.write("agent.sh", options.agent ?? "cat >/dev/null\nmove Done")
    project.write("bin/move", move)
    Fs.chmodSync(project.path("bin/move"), 0o755)
    for (const [stem, issue] of Object.entries(options.issues)) {
      project.write(`issues/${stem}.md`, typeof issue === "string" ? issue : issueText(stem, issue))
    }
    for (const [path, text] of Object.entries(options.files ?? {})) project.write(path, text)
    return project
  }

  /** For set-up that several tests share: whoever gets the project disposes of it; where the set-up fails, that is done here. */
  static async using<A>(options: ProjectOptions, setUp: (project: Project) => Promise<A>): Promise<A> {
    const project = Project.make(options)
    try {
      return await setUp(project)
    } catch (error) {
      await project[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Absolute path of something in the project. */
  path(relative: string): string {
    return Path.join(this.directory, relative)
  }

  exists(relative: string): boolean {
    return Fs.existsSync(this.path(relative))
  }

  /** Empty when there is no such file. */
  read(relative: string): string {
    return this.exists(relative) ? Fs.readFileSync(this.path(relative), "utf8") : ""
  }

  lines(relative: string): ReadonlyArray<string> {
    return this.read(relative).split("\n").slice(0, -1)
  }

  /** Names in a directory, sorted; none when it is not there. */
  list(relative: string): ReadonlyArray<string> {
    return this.exists(relative) ? Fs.readdirSync(this.path(relative)).toSorted() : []
  }

  /** Replaces the file in one step, and makes its directory. */
  write(relative: string, text: string): void {
    const target = this.path(relative)
    Fs.mkdirSync(Path.dirname(target), { recursive: true })
    Fs.writeFileSync(`${target}.new`, text)
    Fs.renameSync(`${target}.new`, target)
  }

  remove(relative: string): void {
    Fs.rmSync(this.path(relative), { recursive: true, force: true })
  }

  /** Replaces what matches in a file, and insists that something does. */
  edit(relative: string, pattern: RegExp | string, replacement: string): void {
    const before = this.read(relative)
    const after = before.replace(pattern, replacement)
    if (after === before) throw new Error(`${pattern} is not in ${relative}:\n${before}`)
    this.write(relative, after)
  }

  setState(stem: string, state: string): void {
    this.edit(`issues/${stem}.md`, /^state:.*$/m, `state: ${JSON.stringify(state)}`)
  }

  /** The state in the issue file; empty when it is gone. */
  state(stem: string): string {
    return /^state: "?(.*?)"?$/m.exec(this.read(`issues/${stem}.md`))?.[1] ?? ""
  }

  start(args: ReadonlyArray<string>, options: StartOptions = {}): Orchestrator {
    const path = [this.path("bin"), Path.dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"]
    const child = spawn(Path.join(programs, "opensymphony"), args, {
      cwd: options.cwd ?? this.directory,
      env: {
        PATH: path.join(Path.delimiter),
        HOME: this.path("home"),
        TMPDIR: this.path("tmp"),
        LANG: "C.UTF-8",
        GIT_CONFIG_NOSYSTEM: "1",
        ...options.env
      },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: a signal to the group of the tests does not reach it.
      detached: true
    })
    const orchestrator = new Orchestrator(child)
    this.#started.push(orchestrator)
    return orchestrator
  }

  /** Waits for something to become true about the project, and shows all logs when it does not. */
  until<A>(what: string, ask: () => A | undefined | null | false, timeoutMs = 20_000): Promise<A> {
    return until(what, ask, { timeoutMs, context: () => this.#started.map((it) => it.transcript()).join("\n") })
  }

  /** Every living process of this test: orchestrators, hooks, agents, and whatever they left behind. */
  processes(): ReadonlyArray<Process> {
    return processesWith(this.directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Who was just killed may have had the time to start one more.
    for (let round = 0; round < 20; round++) {
      const left = this.processes()
      if (left.length === 0) break
      for (const { pid } of left) kill(pid)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    Fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It is gone already.
  }
}

/** A line of the closing summary. */
export interface SummaryLine {
  readonly identifier: string
  readonly state: string
  readonly phase: string
  readonly runs: number
  readonly reason: string
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** From the start of the process to its end. */
  readonly ms: number
  /** What stdout says, by identifier. */
  readonly summary: ReadonlyMap<string, SummaryLine>
}

function parseSummary(stdout: string): ReadonlyMap<string, SummaryLine> {
  const lines = stdout.split("\n").filter((line) => line.split("\t").length === 5)
  return new Map(
    lines.map((line) => {
      const [identifier = "", state = "", phase = "", runs = "", reason = ""] = line.split("\t")
      return [identifier, { identifier, state, phase, runs: Number(runs), reason }]
    })
  )
}

/** A started opensymphony. */
export class Orchestrator {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #startedAt = performance.now()
  #stdout = ""
  #stderr = ""
  #ended: Ended | undefined

  constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid ?? 0
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text))
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text))
    const end = (code: number | null, signal: string | null) => {
      const ms = performance.now() - this.#startedAt
      const [stdout, stderr] = [this.#stdout, this.#stderr]
      this.#ended = { code, signal, stdout, stderr, ms, summary: parseSummary(stdout) }
    }
    child.on("error", (error) => {
      this.#stderr += `opensymphony cannot be started: ${error.message}\n`
      end(null, null)
    })
    child.on("close", end)
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  get isRunning(): boolean {
    return isAlive(this.pid)
  }

  /** Everything it said, for the message of a test that fails. */
  transcript(): string {
    return `--- stdout of ${this.pid}\n${this.#stdout}--- stderr of ${this.pid}\n${this.#stderr.slice(-20_000)}`
  }

  until<A>(what: string, ask: () => A | undefined | null | false, timeoutMs = 20_000): Promise<A> {
    return until(what, ask, { timeoutMs, context: () => this.transcript() })
  }

  /** The first complete line on stderr that matches, from `after` characters on. */
  logs(pattern: RegExp, timeoutMs = 20_000, after = 0): Promise<string> {
    const ask = () =>
      this.#stderr
        .slice(after)
        .split("\n")
        .slice(0, -1)
        .find((line) => pattern.test(line))
    return this.until(`a line like ${pattern} on stderr`, ask, timeoutMs)
  }

  /** Stops reading, as a pipe into a program that ended. */
  close(stream: "stdout" | "stderr"): void {
    this.#child[stream]?.destroy()
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Waits for its end, and until nobody holds its pipes any more. */
  exit(timeoutMs = 20_000): Promise<Ended> {
    return this.until("the end of opensymphony", () => this.#ended, timeoutMs)
  }
}
