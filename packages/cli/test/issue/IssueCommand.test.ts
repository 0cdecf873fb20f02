import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path, Stdio, Stream } from "effect"
import { CliError, Command } from "effect/cli"
import { TestConsole } from "effect/testing"
import { ProcessEnvironment } from "../../src/commands/issue/ProcessEnvironment.ts"
import { IssueCommand } from "../../src/commands/IssueCommand.ts"

interface Project {
  readonly directory: string
  readonly write: (name: string, text: string) => Effect.Effect<void>
  readonly read: (name: string) => Effect.Effect<string>
}

const workflow = "---\ntracker: {kind: files, path: board, active_states: [Ready, In Progress]}\n---\nDo it.\n"

/** A directory with a WORKFLOW.md and an empty board. */
const makeProject = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.makeTempDirectoryScoped()
  yield* fs.makeDirectory(path.join(directory, "board"))
  const project: Project = {
    directory,
    write: (name, text) => Effect.orDie(fs.writeFileString(path.join(directory, name), text)),
    read: (name) => Effect.orDie(fs.readFileString(path.join(directory, name)))
  }
  yield* project.write("WORKFLOW.md", workflow)
  return project
})

interface Surroundings {
  readonly environment?: { readonly [name: string]: string }
  readonly stdin?: string
  readonly isTerminal?: boolean
}

/** Runs `opensymphony issue ...` on the project, whose workflow is named by the environment. */
const run = (project: Project, args: ReadonlyArray<string>, surroundings: Surroundings = {}) =>
  Command.runWith(IssueCommand, { version: "0" })(args).pipe(
    Effect.provideService(
      ProcessEnvironment,
      surroundings.environment ?? { OPENSYMPHONY_WORKFLOW: `${project.directory}/WORKFLOW.md`, USER: "ann" }
    ),
    Effect.provide(
      Stdio.layerTest({
        stdin: Stream.encodeText(Stream.make(surroundings.stdin ?? "")),
        stdoutIsTerminal: Effect.succeed(surroundings.isTerminal ?? false)
      }).pipe((stdio) => Layer.merge(NodeServices.layer, stdio))
    )
  )

const fails = (project: Project, args: ReadonlyArray<string>, surroundings: Surroundings = {}) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(run(project, args, surroundings))
    return CliError.getUserMessage(error) ?? `no message for people: ${String(error)}`
  })

const test = (name: string, body: (project: Project) => Effect.Effect<void, unknown, never>) =>
  it.effect(name, () => Effect.flatMap(makeProject, body).pipe(Effect.provide(NodeServices.layer)))

const issue = (...lines: ReadonlyArray<string>) => `---\ntitle: A title\nstate: Ready\n${lines.join("\n")}\n---\n`

describe("issue list", () => {
  test("prints tab-separated lines into a pipe, in natural order, without a heading", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A-10.md", issue("priority: 2"))
      yield* project.write("board/A-9.md", '---\ntitle: "tab\\there"\nstate: Done\n---\n')
      yield* run(project, ["list"])
      assert.deepStrictEqual(yield* TestConsole.logLines, ["A-9\tDone\t\ttab here\nA-10\tReady\t2\tA title"])
    }))

  test("prints an aligned table on a terminal", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A-10.md", issue("priority: 2"))
      yield* project.write("board/B.md", issue())
      yield* run(project, ["list"], { isTerminal: true })
      assert.deepStrictEqual(yield* TestConsole.logLines, [
        "ISSUE  STATE  PRIORITY  TITLE\nA-10   Ready  2         A title\nB      Ready  -         A title"
      ])
    }))

  test("prints nothing into a pipe for an empty board", (project) =>
    Effect.gen(function* () {
      yield* run(project, ["list"])
      assert.deepStrictEqual(yield* TestConsole.logLines, [])
    }))

  test("reports malformed files on stderr and lists the others", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      yield* project.write("board/B.md", issue("priority: x"))
      yield* run(project, ["list"])
      assert.deepStrictEqual(yield* TestConsole.logLines, ["A\tReady\t\tA title"])
      assert.match(String((yield* TestConsole.errorLines)[0]), /board\/B\.md:4: priority must be/)
    }))

  test("keeps what would steer the terminal from it", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", '---\ntitle: "a\\u001b[2Jb"\nstate: Ready\n---\n')
      yield* run(project, ["list"])
      assert.deepStrictEqual(yield* TestConsole.logLines, ["A\tReady\t\ta [2Jb"])
    }))
})

describe("issue show", () => {
  test("prints the fields, the blockers and what is odd about them, and the comments", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/P.md", issue("id: 77"))
      yield* project.write("board/B.md", "---\ntitle: B\nstate: Done\n---\n")
      const text = `${issue("priority: 1", "labels: [Bug]", "blocked_by: [B, X]", "parent: P")}\nDo it.\n`
      yield* project.write("board/A.md", text)
      yield* run(project, ["comment", "A", "hello"])
      yield* run(project, ["show", "a"])
      const shown = String((yield* TestConsole.logLines)[1])
      assert.match(shown, /^A: A title\n\nState: {6}Ready\nPriority: {3}1\nLabels: {5}bug\n/)
      assert.include(shown, "\nBlocked by: B (Done), X (is not on the board)\nParent:     P\n")
      assert.match(shown, /\n\nDo it\.\n\n## Comments\n\n### ann, .*\n\nhello$/)
    }))
})

describe("issue new", () => {
  test("prints the identifier and nothing else, in the first active state", (project) =>
    Effect.gen(function* () {
      yield* run(project, ["new", "--title", "First"])
      assert.deepStrictEqual(yield* TestConsole.logLines, ["ISSUE-1"])
      assert.deepStrictEqual(yield* TestConsole.errorLines, [])
      assert.include(yield* project.read("board/ISSUE-1.md"), "title: First\nstate: Ready\n")
    }))

  test("takes every option, repeated ones too, and the description from standard input", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/P.md", issue())
      yield* project.write("board/B.md", issue())
      const args = [
        "--title",
        "T",
        "--key",
        "A-1",
        "--state",
        "Later",
        "--priority",
        "3",
        "--label",
        "x",
        "--label",
        "y"
      ]
      const relations = ["--blocked-by", "B", "--blocked-by", "X", "--parent", "P", "--description", "-"]
      yield* run(project, ["new", ...args, ...relations], {
        stdin: "From\nstdin.\n",
        environment: environmentOf(project)
      })
      assert.strictEqual(
        (yield* project.read("board/A-1.md")).replace(/created_at: .*\n/, ""),
        "---\ntitle: T\nstate: Later\npriority: 3\nlabels: [x, y]\nblocked_by: [B, X]\nparent: P\n---\n\nFrom\nstdin.\n"
      )
      assert.deepStrictEqual(yield* TestConsole.errorLines, ["warning: blocker X: is not on the board"])
    }))

  test("refuses a key that is taken", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      assert.match(yield* fails(project, ["new", "--title", "T", "--key", "A"]), /already an issue "A"/)
    }))

  test("counts a missing title and a bad priority as wrong usage", (project) =>
    Effect.gen(function* () {
      for (const args of [["new"], ["new", "--title", "T", "--priority", "5"]]) {
        assert.strictEqual((yield* Effect.flip(run(project, args)))._tag, "ShowHelp")
      }
    }))
})

describe("issue move", () => {
  test("changes the state and says from where to where", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue("# kept"))
      yield* run(project, ["move", "A", "In Progress"])
      assert.deepStrictEqual(yield* TestConsole.logLines, ['A moved from "Ready" to "In Progress"'])
      assert.deepStrictEqual(yield* TestConsole.errorLines, [])
      assert.strictEqual(yield* project.read("board/A.md"), issue("# kept").replace("Ready", "In Progress"))
    }))

  test("accepts a state of several words without quotes", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      yield* run(project, ["move", "A", "In", "Progress"])
      assert.include(yield* project.read("board/A.md"), "state: In Progress\n")
    }))

  test("says that an issue is in that state already", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      yield* run(project, ["move", "A", "Ready"])
      assert.deepStrictEqual(yield* TestConsole.logLines, ['A is already in "Ready"'])
    }))

  test("warns of a state that nobody knows, and moves all the same", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      yield* run(project, ["move", "A", "Doen"])
      assert.match(String((yield* TestConsole.errorLines)[0]), /^warning: .*"Doen".*did you mean Done\?$/)
      assert.include(yield* project.read("board/A.md"), "state: Doen\n")
    }))

  test("names near matches of a key that nobody has", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/ABC-1.md", issue())
      assert.match(yield* fails(project, ["move", "ABX-1", "Done"]), /no issue "ABX-1" in .*; did you mean ABC-1\?/)
    }))
})

describe("issue comment", () => {
  const authorOf = (project: Project) =>
    Effect.map(project.read("board/A.md"), (text) => /^### (.*), /m.exec(text)?.[1])

  test("takes the text from standard input and the author from the option", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      const surroundings = { stdin: "one\ntwo\n", environment: environmentOf(project) }
      yield* run(project, ["comment", "A", "-", "--author", "lee"], surroundings)
      assert.match(yield* project.read("board/A.md"), /## Comments\n\n### lee, .*\n\none\ntwo\n$/)
    }))

  test("is by the user when nobody says", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      yield* run(project, ["comment", "A", "text"])
      assert.strictEqual(yield* authorOf(project), "ann")
    }))

  test("is by the agent inside a run", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      const environment = { ...environmentOf(project), USER: "ann", OPENSYMPHONY_RUN_ID: "r-1" }
      yield* run(project, ["comment", "A", "text"], { environment })
      assert.strictEqual(yield* authorOf(project), "agent")
    }))

  test("refuses an empty text", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      const surroundings = { stdin: "\n", environment: environmentOf(project) }
      assert.match(yield* fails(project, ["comment", "A", "-"], surroundings), /comment is empty/)
    }))

  test("refuses more standard input than an issue file may hold", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      const surroundings = { stdin: "x".repeat(1024 * 1024 + 1), environment: environmentOf(project) }
      assert.match(yield* fails(project, ["comment", "A", "-"], surroundings), /standard input is longer/)
    }))
})

const environmentOf = (project: Project) => ({ OPENSYMPHONY_WORKFLOW: `${project.directory}/WORKFLOW.md` })

describe("issue, finding the board", () => {
  test("prefers --workflow, before or after the subcommand, to the environment", (project) =>
    Effect.gen(function* () {
      yield* project.write("board/A.md", issue())
      const environment = { OPENSYMPHONY_WORKFLOW: "/nowhere/WORKFLOW.md" }
      const file = `${project.directory}/WORKFLOW.md`
      yield* run(project, ["list", "--workflow", file], { environment })
      yield* run(project, ["--workflow", file, "list"], { environment })
      assert.strictEqual((yield* TestConsole.logLines).length, 2)
    }))

  test("says which workflow is missing and how to name one", (project) =>
    Effect.gen(function* () {
      const environment = { OPENSYMPHONY_WORKFLOW: "/nowhere/W.md" }
      const message = yield* fails(project, ["list"], { environment })
      assert.match(message, /\/nowhere\/W\.md \(\$OPENSYMPHONY_WORKFLOW\) does not exist; .*--workflow PATH/)
    }))

  test("looks for WORKFLOW.md in the working directory when nothing names one", (project) =>
    Effect.gen(function* () {
      assert.match(yield* fails(project, ["list"], { environment: {} }), /WORKFLOW\.md \(the default\) does not exist/)
    }))

  test("works although other sections of the workflow are wrong", (project) =>
    Effect.gen(function* () {
      yield* project.write(
        "WORKFLOW.md",
        "---\ntracker: {kind: files, path: board}\nagent: {max_turns: x}\n---\n{% bad"
      )
      yield* project.write("board/A.md", issue())
      yield* run(project, ["list"])
      assert.strictEqual((yield* TestConsole.logLines).length, 1)
    }))

  test("reads a path from the environment", (project) =>
    Effect.gen(function* () {
      yield* project.write("WORKFLOW.md", "---\ntracker: {kind: files, path: $BOARD}\n---\n")
      yield* project.write("board/A.md", issue())
      assert.match(yield* fails(project, ["list"]), /tracker\.path: .*BOARD is not set/)
      yield* run(project, ["list"], { environment: { ...environmentOf(project), BOARD: `${project.directory}/board` } })
      assert.strictEqual((yield* TestConsole.logLines).length, 1)
    }))

  const wrong: ReadonlyArray<readonly [string, string, RegExp]> = [
    [
      "another tracker",
      "---\ntracker: {kind: linear}\n---\n",
      /the tracker of this workflow is linear; .*files tracker only/
    ],
    ["no tracker", "---\nagent: {}\n---\n", /tracker\.kind: is missing/],
    ["no front matter", "Do it.\n", /tracker\.kind: is missing/],
    ["an unclosed front matter", "---\ntracker: {kind: files}\n", /WORKFLOW\.md:1:1: .*not closed/],
    ["broken YAML", "---\ntracker: {kind: files\n---\n", /WORKFLOW\.md:\d+:\d+: front matter: /]
  ]
  for (const [name, text, message] of wrong) {
    test(`explains a workflow with ${name}`, (project) =>
      Effect.gen(function* () {
        yield* project.write("WORKFLOW.md", text)
        assert.match(yield* fails(project, ["list"]), message)
      }))
  }

  test("says how to mend a board that does not exist", (project) =>
    Effect.gen(function* () {
      yield* project.write("WORKFLOW.md", "---\ntracker: {kind: files, path: elsewhere}\n---\n")
      assert.match(yield* fails(project, ["list"]), /elsewhere does not exist; create it, or set tracker\.path/)
    }))
})
