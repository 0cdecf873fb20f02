import { assert, describe, it } from "@effect/vitest"
import { keyOf } from "../src/Adapters.ts"
import { parseText } from "../src/WorkflowFile.ts"

const key = (apiKey: string, secret: string): string => {
  const tracker = `{kind: linear, project_slug: symphony-0123456789ab, webhook: {bind: 8080, secret: ${secret}}}`
  const text = `---\ntracker: ${tracker}\ncommand: {run: "true"}\n---\nDo {{ issue.title }}.\n`
  const { problems, workflow } = parseText("/WORKFLOW.md", text, { LINEAR_API_KEY: apiKey })
  assert.isNotNull(workflow, JSON.stringify(problems))
  return workflow === null ? "" : keyOf(workflow)
}

describe("the adapters of a workflow", () => {
  it("are the same for the same text and environment", () => {
    assert.strictEqual(key("one", "a"), key("one", "a"))
  })

  it("are others when a secret changed, and nothing else", () => {
    assert.notStrictEqual(key("one", "a"), key("two", "a"))
    assert.notStrictEqual(key("one", "a"), key("one", "b"))
  })
})
