import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { ModelScript } from "@opensymphony/adapters-openhands/testing"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { dig } from "../../../packages/adapters-openhands/test/contract/Client.ts"
import { Stage, startMs } from "./Stage.ts"

const { call, finish } = ModelScript

let linear: FakeLinear.FakeLinear
let stage: Stage
beforeAll(async () => {
  linear = await FakeLinear.start()
  const tracker = { kind: "linear", endpoint: linear.url, project_slug: linear.projectUrl, api_key: "$LINEAR_API_KEY" }
  stage = await Stage.make({ tracker }, { LINEAR_API_KEY: linear.apiKey })
})
afterAll(async () => {
  await stage[Symbol.asyncDispose]()
  await linear.close()
})

describe("the Linear tools of an agent on the real agent-server", () => {
  it("reach its issue through the bridge, and the key reaches nobody", async () => {
    const { id, identifier } = linear.createIssue({ title: "A task", state: "Todo", project: linear.project.id })
    stage.script(identifier, [
      call("add_comment", { body: "Looked at it." }),
      call("move_issue", { state: "Done" }),
      finish("moved by a tool")
    ])
    await stage.said(identifier, /run succeeded after 1 turn/, startMs)
    const { state } = linear.issue(id)
    assert.strictEqual(state, "Done", toolsOffered(stage).join(", "))
    assert.include(JSON.stringify(linear.entities("Comment")), "Looked at it.")
    assert.notInclude(JSON.stringify(stage.model.requests), linear.apiKey)
    assert.notInclude(stage.orchestrator.stderr, linear.apiKey)
  })
})

/** What the model was offered, for the message of a test that fails. */
const toolsOffered = ({ model }: Stage): ReadonlyArray<unknown> => {
  const offered = model.requests.at(-1)?.body["tools"]
  return Array.isArray(offered) ? offered.map((tool) => dig(tool, "function.name")) : []
}
