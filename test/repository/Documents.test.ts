import { assert, describe, it } from "@effect/vitest"
import { parse } from "@opensymphony/core/workflow/ParseWorkflow"
import * as Problem from "@opensymphony/core/workflow/Problem"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { filesBelow, repository, textOf } from "./SourceFile.ts"

const documents = filesBelow(".").filter((file) => file.endsWith(".md") && !file.includes("/issues/"))

/** The heading that `#anchor` leads to, as GitHub derives it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-")

function anchors(text: string): ReadonlyArray<string> {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? ""))
}

function brokenLinks(file: string): ReadonlyArray<string> {
  return [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return []
    const [path = "", anchor] = link.split("#")
    const target = path === "" ? file : Path.posix.join(Path.posix.dirname(file), path)
    if (!Fs.existsSync(Path.join(repository, target))) return [`${file}: ${link}: no such file`]
    return anchor === undefined || anchors(textOf(target)).includes(anchor) ? [] : [`${file}: ${link}: no such heading`]
  })
}

/** The WORKFLOW.md files that are shown in the documents, and those of the examples. */
const workflows = documents.flatMap((file): ReadonlyArray<readonly [string, string]> => {
  if (Path.posix.basename(file) === "WORKFLOW.md") return [[file, textOf(file)]]
  const blocks = [...textOf(file).matchAll(/^```markdown\n(---\n.*?)^```$/gms)].map((match) => match[1] ?? "")
  return blocks.filter((text) => text.includes("tracker:")).map((text, at) => [`${file} (${at + 1})`, text])
})

describe("documents", () => {
  it("link to what is there", () => {
    assert.deepStrictEqual(documents.flatMap(brokenLinks), [])
  })

  it.each([
    ["README.md", "examples/embedding/promise.ts"],
    ["README.md", "examples/embedding/effect.ts"],
    ["docs/testing.md", "packages/core/test/testing/PolicyExample.test.ts"],
    ["docs/testing.md", "packages/core/test/testing/TrackerExample.test.ts"],
    ["docs/testing.md", "packages/core/test/testing/RetryExample.test.ts"],
    ["docs/adapters.md", "packages/core/test/testing/ConformanceExample.test.ts"]
  ])("%s shows %s as it is", (document, program) => {
    const shown = [...textOf(document).matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1])
    assert.include(shown, textOf(program))
  })

  it("show a workflow in the README and in the reference", () => {
    const where = workflows.map(([name]) => name.split(" ")[0])
    assert.includeMembers(where, ["README.md", "docs/workflow.md", "examples/quickstart/WORKFLOW.md"])
  })

  it.each(workflows)("show a workflow that loads without a warning: %s", (path, text) => {
    const { problems } = parse({
      path: `/${path}`,
      text,
      environment: {},
      homeDirectory: "/home",
      systemTempDirectory: "/tmp",
      knownRuntimeKinds: ["command"],
      knownTrackerKinds: ["files"]
    })
    assert.deepStrictEqual(problems.map(Problem.render), [])
  })
})
