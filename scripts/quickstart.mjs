// npm start: copies examples/quickstart to a fresh temporary directory and lets opensymphony work it off there.
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { basename, delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

const repository = fileURLToPath(new URL("..", import.meta.url))
const programs = join(repository, "node_modules", ".bin")
const example = join(repository, "examples", "quickstart")
const directory = mkdtempSync(join(tmpdir(), "opensymphony-quickstart-"))
const say = (...lines) => process.stderr.write(`${lines.join("\n")}\n`)

cpSync(example, directory, { recursive: true, filter: (path) => basename(path) !== "workspaces" })

say(
  `A copy of examples/quickstart is in ${directory}`,
  "  issues      issues/*.md: edit one while this runs",
  "  workspaces  workspaces/: one git repository per issue",
  "  workflow    WORKFLOW.md, and the agent that it starts, agent.sh",
  "Running there: opensymphony run --until-idle (Ctrl-C ends it in good order, a second one at once)",
  ""
)

// A terminal sends Ctrl-C to every process in front of it, and npm passes on what it gets: the orchestrator would see two
// signals for one and leave at once. So on a terminal it hears the terminal only; elsewhere it is out of reach of signals
// to the group, and gets them from here, once.
const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
const orchestrator = spawn(join(programs, "opensymphony"), ["run", "--until-idle"], {
  cwd: directory,
  stdio: "inherit",
  detached: !onTerminal,
  env: { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH ?? ""}` }
})

const echo = 300
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  let passedOn = -Infinity
  process.on(signal, () => {
    const now = performance.now()
    if ((onTerminal && signal !== "SIGTERM") || now - passedOn < echo) return
    passedOn = now
    orchestrator.kill(signal)
  })
}

orchestrator.on("error", (error) => {
  say(`opensymphony does not start (${error.message}); run \`npm ci\` in ${repository}`)
  process.exitCode = 1
})
orchestrator.on("close", (code, signal) => {
  say(
    "",
    `The workspaces are in ${join(directory, "workspaces")}; what an agent did, for example:`,
    `  git -C ${join(directory, "workspaces", "GARDEN-2")} log --stat`,
    `  npx opensymphony issue list --workflow ${join(directory, "WORKFLOW.md")}`,
    "Nothing else remains of this run: delete the directory when you have seen enough."
  )
  process.exitCode = signal === null ? code : 128 + constants.signals[signal]
})
