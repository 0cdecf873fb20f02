import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import { Effect, FileSystem, Layer, Path } from "effect"
import { TestConsole } from "effect/testing"
import { examine } from "../../src/doctor/DoctorProgram.ts"

const platform = Layer.mergeAll(NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer)), TestConsole.layer)

const goodIssue = "---\ntitle: A task\nstate: Todo\n---\nDo it.\n"

interface Project {
  readonly frontMatter?: string
  readonly prompt?: string
  /** Issue files by name; the folder is `issues`. */
  readonly issues?: { readonly [name: string]: string }
  readonly environment?: { readonly [name: string]: string }
}

/** A project in a directory of its own, and what the doctor says of it. */
const scene = Effect.fnUntraced(function* (project: Project) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fs.realPath(yield* fs.makeTempDirectoryScoped())
  yield* fs.makeDirectory(path.join(directory, "issues"))
  for (const [name, text] of Object.entries(project.issues ?? { "A-1.md": goodIssue })) {
    yield* fs.writeFileString(path.join(directory, "issues", name), text)
  }
  const frontMatter = project.frontMatter ?? 'command: {run: "true"}'
  const workflow = path.join(directory, "WORKFLOW.md")
  yield* fs.writeFileString(
    workflow,
    `---\ntracker: {kind: files}\nworkspace: {root: ./workspaces}\n${frontMatter}\n---\n${project.prompt ?? "Do {{ issue.title }}."}\n`
  )
  const look = Effect.gen(function* () {
    const status = yield* examine({ workflow }, project.environment ?? {})
    return { status, lines: (yield* TestConsole.logLines).map(String) }
  })
  return { directory, workflow, look }
})

const test = (
  name: string,
  body: Effect.Effect<void, unknown, Effect.Services<ReturnType<typeof scene>> | Layer.Success<typeof platform>>
) => it.live(name, () => body.pipe(Effect.scoped, Effect.provide(platform)))

const finds = (name: string, project: Project, expected: RegExp, expectedStatus: number) =>
  test(
    name,
    Effect.gen(function* () {
      const { look } = yield* scene(project)
      const { lines, status } = yield* look
      assert.isTrue(
        lines.some((line) => expected.test(line)),
        lines.join("\n")
      )
      assert.strictEqual(status, expectedStatus)
    })
  )

describe("opensymphony doctor", () => {
  test(
    "passes a sound project and counts what it looked at",
    Effect.gen(function* () {
      const { look } = yield* scene({})
      const { lines, status } = yield* look
      assert.strictEqual(status, 0)
      assert.deepStrictEqual(
        lines.filter((line) => !/^(PASS|\d)/.test(line)),
        []
      )
      assert.match(lines.at(-1) ?? "", /^6 PASS, 0 WARN, 0 FAIL, 0 SKIP$/)
    })
  )

  test(
    "makes nothing that was not there",
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { directory, look } = yield* scene({})
      yield* look
      assert.sameMembers(yield* fs.readDirectory(directory), ["WORKFLOW.md", "issues"])
    })
  )

  finds(
    "names the position of a bad value, and leaves the rest alone",
    { frontMatter: 'agent: {max_turns: 0}\ncommand: {run: "true"}' },
    /^FAIL {2}workflow {5}\S+WORKFLOW\.md:4:20: agent\.max_turns: /,
    1
  )
  finds(
    "warns about a key that nobody knows",
    { frontMatter: 'agnet: {}\ncommand: {run: "true"}' },
    /^WARN {2}workflow .*did you mean agent\?$/,
    0
  )
  finds(
    "finds what a template does with some issues only",
    { prompt: "{{ issue.title }} {{ issue.blocked_by[0].identifier }}" },
    /^FAIL {2}template /,
    1
  )
  finds(
    "finds a prompt that comes out empty",
    { prompt: "{% if attempt %}Go on.{% endif %}" },
    /^FAIL {2}template .* empty for some issues/,
    1
  )
  finds(
    "finds a hook that the shell cannot read",
    { frontMatter: 'hooks: {before_run: "if ["}\ncommand: {run: "true"}' },
    /^FAIL {2}shell {8}hooks\.before_run is no valid shell text/,
    1
  )
  finds("finds that no issue would start", { issues: {} }, /^WARN {2}tracker .*nothing would start$/, 0)
  finds(
    "tells the records that cannot be read",
    { issues: { "A-1.md": goodIssue, "A-2.md": "---\nstate: Todo\n---\n" } },
    /^WARN {2}tracker .*A-2\.md.*title/,
    0
  )

  test(
    "finds a board that is not there",
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { directory, look } = yield* scene({})
      yield* fs.remove(`${directory}/issues`, { recursive: true })
      const { lines, status } = yield* look
      assert.strictEqual(status, 1)
      assert.isTrue(lines.some((line) => /^FAIL {2}tracker .*does not exist; create it/.test(line)))
    })
  )

  test(
    "says who has the workspace root",
    Effect.gen(function* () {
      const { directory, look, workflow } = yield* scene({})
      yield* RootLock.acquire({ root: `${directory}/workspaces`, workflowPath: workflow })
      const { lines, status } = yield* look
      assert.strictEqual(status, 0)
      assert.isTrue(lines.some((line) => /^WARN {2}workspaces .*in use by another opensymphony/.test(line)))
    })
  )

  finds(
    "shows no credential",
    {
      environment: { MY_TOKEN: "abcdef-0123456789" },
      frontMatter: 'hooks: {before_run: "if [ abcdef-0123456789"}\ncommand: {run: "true"}'
    },
    /^FAIL {2}shell (?!.*abcdef-0123456789)/,
    1
  )
})
