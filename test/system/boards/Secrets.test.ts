import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Ended, Project } from "../Harness.ts"
import { note, turn } from "./AgentScript.ts"

const unnamed = {
  DEPLOY_TOKEN: "tok-3f9a6c1d7e",
  AWS_SECRET_ACCESS_KEY: "aws/Zp0+8sKq3Lm5Vt7Xw",
  DATABASE_URL: "postgres://gardener:rosebud-42@db.example.org/plants",
  SOMETHING: "plain-but-private-77"
}

/** Everything that stays behind or was said: each file below the project, names of files, and both streams. */
const everything = (project: Project, { stderr, stdout }: Ended): ReadonlyArray<readonly [string, string]> => {
  const files = Fs.readdirSync(project.directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile()
  )
  return [
    ["stdout", stdout],
    ["stderr", stderr],
    ...files.map(({ name, parentPath }) => {
      const path = Path.join(parentPath, name)
      return [path, `${path}\n${Fs.readFileSync(path, "latin1")}`] as const
    })
  ]
}

const placesOf = (secret: string, project: Project, ended: Ended): ReadonlyArray<string> =>
  everything(project, ended).flatMap(([place, text]) => (text.includes(secret) ? [place] : []))

const dump = 'env; env >"env.$$"; set; export -p'

describe.concurrent("a credential that the workflow does not name", () => {
  for (const format of ["logfmt", "json", "pretty"]) {
    it(`reaches no hook, no agent, no file and no ${format} log`, async () => {
      await using project = Project.make({
        settings: {
          hooks: { after_create: dump, before_run: dump, after_run: `${dump}; exit 1` },
          limits: { max_failures: 1 }
        },
        issues: { "A-1": {}, "B-1": {} },
        agent: turn(dump, '[ "$issue" = A-1 ] || exit 3', "move Done")
      })
      const ended = await project
        .start(["run", "--until-idle", "--log-format", format, "--log-level", "trace"], { env: unnamed })
        .exit()
      assert.include(project.list("workspaces/A-1").join(" "), "env.", "the agent did not look")
      for (const secret of Object.values(unnamed)) assert.deepStrictEqual(placesOf(secret, project, ended), [])
    })
  }

  it("draws a warning where a hook or the command mentions it, with the key to add", async () => {
    await using project = Project.make({
      settings: {
        hooks: { before_run: 'echo "$DEPLOY_TOKEN"' },
        command: { run: ': "${SOMETHING}" $NOT_SET; move Done' }
      },
      issues: { "A-1": {} }
    })
    const { code, stderr } = await project.start(["run", "--until-idle"], { env: unnamed }).exit()
    assert.strictEqual(code, 0)
    const warnings = stderr.split("\n").filter((line) => line.startsWith(`${project.path("WORKFLOW.md")}:`))
    assert.lengthOf(warnings, 2)
    assert.match(warnings.join("\n"), /:\d+:\d+: hooks\.before_run: .*DEPLOY_TOKEN.*hooks\.env/)
    assert.match(warnings.join("\n"), /:\d+:\d+: command\.run: .*SOMETHING.*command\.env/)
  })

  it("makes such a warning an error under --strict", async () => {
    await using project = Project.make({ settings: { command: { run: 'echo "$DEPLOY_TOKEN"' } }, issues: {} })
    const { code, stderr } = await project.start(["run", "--until-idle", "--strict"], { env: unnamed }).exit()
    assert.strictEqual(code, 1)
    assert.match(stderr, /^\S+WORKFLOW\.md:\d+:\d+: command\.run: .*DEPLOY_TOKEN/m)
  })
})

describe.concurrent("a credential that the workflow names", () => {
  const say = (name: string) => [`echo "out $${name}"`, `echo "err $${name}" >&2`].join("\n")
  const json = (name: string) =>
    `printf '{"opensymphony": {"summary": "used %s", "session": "with-%s"}}\\n' "$${name}" "$${name}"`

  for (const [name, secret] of Object.entries(unnamed)) {
    it(`reaches the agent, and not what is logged or kept of what the agent prints: ${name}`, async () => {
      await using project = Project.make({
        settings: { command: { env: [name] }, limits: { max_failures: 2 } },
        issues: { "A-1": {}, "B-1": {} },
        agent: turn(note("lengths", `$\{#${name}}`), say(name), json(name), '[ "$issue" = A-1 ] || exit 3', "move Done")
      })
      const ended = await project.start(["run", "--until-idle", "--log-level", "trace"], { env: unnamed }).exit()
      assert.strictEqual(project.lines("lengths")[0], String(secret.length))
      assert.match(ended.summary.get("B-1")?.reason ?? "", /held after 2 failures.*err \*\*\*/)
      assert.match(ended.stderr, /used \*\*\*/)
      assert.deepStrictEqual(placesOf(secret, project, ended), [])
    })
  }

  it("is not in a manifest, a log or the summary when the hook that got it fails", async () => {
    await using project = Project.make({
      settings: {
        hooks: {
          env: ["DEPLOY_TOKEN"],
          before_run: 'echo "with $DEPLOY_TOKEN"; exit 4',
          after_run: 'echo "after $DEPLOY_TOKEN"; exit 5'
        },
        limits: { max_failures: 1 }
      },
      issues: { "A-1": {} }
    })
    const ended = await project.start(["run", "--until-idle"], { env: unnamed }).exit()
    assert.match(ended.summary.get("A-1")?.reason ?? "", /with \*\*\*/)
    assert.deepStrictEqual(placesOf(unnamed.DEPLOY_TOKEN, project, ended), [])
  })

  it("does not show where a long line is cut in the middle of it", async () => {
    await using project = Project.make({
      settings: { command: { env: ["DEPLOY_TOKEN"] }, limits: { max_failures: 1 } },
      issues: { "A-1": {}, "A-2": {}, "A-3": {} },
      // It begins 14, 11 and 8 characters before the bound of what a reason quotes of a line.
      agent: turn(
        'n=$((1006 + ${issue#A-} * 3)); printf "%${n}s%s%s\\n" "" "$DEPLOY_TOKEN" " and on" | tr " " x',
        "exit 1"
      )
    })
    const ended = await project.start(["run", "--until-idle"], { env: unnamed }).exit()
    assert.lengthOf(
      [...ended.summary.values()].filter(({ phase }) => phase === "held"),
      3
    )
    assert.deepStrictEqual(placesOf(unnamed.DEPLOY_TOKEN.slice(0, 7), project, ended), [])
  })

  it("is not in the log when it has several lines", async () => {
    const lines = ["-----BEGIN KEY-----", "MIIEowIBAAKCAQEA7", "qP2ZbX0dUoYl9tYwQ", "-----END KEY-----"]
    await using project = Project.make({
      settings: { command: { env: ["SIGNING"] }, limits: { max_failures: 1 } },
      issues: { "A-1": {} },
      agent: turn('echo "$SIGNING" >&2', "exit 1")
    })
    const ended = await project.start(["run", "--until-idle"], { env: { SIGNING: lines.join("\n") } }).exit()
    assert.strictEqual(ended.summary.get("A-1")?.phase, "held")
    for (const line of lines.slice(1, 3)) assert.deepStrictEqual(placesOf(line, project, ended), [])
  })
})
