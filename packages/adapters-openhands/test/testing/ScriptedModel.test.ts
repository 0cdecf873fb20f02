import { assert, describe, it } from "@effect/vitest"
import { ModelScript, ScriptedModel } from "../../src/testing/index.ts"
import { dig } from "../contract/Client.ts"

const { call, finish, say, shell } = ModelScript

const withModel =
  (options: ScriptedModel.ScriptedModelOptions, body: (model: ScriptedModel.ScriptedModel) => Promise<void>) =>
  async () => {
    const model = await ScriptedModel.start(options)
    try {
      await body(model)
    } finally {
      await model.close()
    }
  }

const user = (content: unknown) => ({ role: "user", content })
const result = { role: "tool", tool_call_id: "call_1", content: "done" }
const assistant = { role: "assistant", content: "", tool_calls: [] }

const ask = async (model: ScriptedModel.ScriptedModel, messages: ReadonlyArray<unknown>, fields: object = {}) => {
  const response = await fetch(`${model.baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: "Bearer key", "content-type": "application/json" },
    body: JSON.stringify({ model: "scripted", messages, tools: [{ type: "function" }], ...fields })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}

const toolOf = (answer: { readonly text: string }) =>
  dig(JSON.parse(answer.text), "choices.0.message.tool_calls.0.function.name")

describe("the scripted model", () => {
  const scripts = [
    { marker: "build", steps: [shell("make"), call("file_editor", { command: "view" }), finish("built")] }
  ]

  it(
    "answers by the tool results that follow the message with the marker",
    withModel({ scripts }, async (model) => {
      const history = [user("please build"), assistant, result, assistant, result]
      assert.strictEqual(toolOf(await ask(model, history.slice(0, 1))), "terminal")
      assert.strictEqual(toolOf(await ask(model, history.slice(0, 3))), "file_editor")
      assert.strictEqual(toolOf(await ask(model, history)), "finish")
    })
  )

  it(
    "starts again with a later message that carries the marker",
    withModel({ scripts }, async (model) => {
      const history = [user("please build"), assistant, result, user([{ type: "text", text: "build again" }])]
      assert.strictEqual(toolOf(await ask(model, history)), "terminal")
    })
  )

  it(
    "keeps its place when a message without a marker comes between, as a nudge does",
    withModel({ scripts }, async (model) => {
      const history = [user("please build"), assistant, result, user("go on")]
      assert.strictEqual(toolOf(await ask(model, history)), "file_editor")
    })
  )

  it(
    "gives a request that is sent again the same answer",
    withModel({ scripts }, async (model) => {
      const tools = [await ask(model, [user("build")]), await ask(model, [user("build")])].map(toolOf)
      assert.deepStrictEqual(tools, ["terminal", "terminal"])
    })
  )

  it(
    "fails as often as a step says, for each history by itself",
    withModel(
      {
        scripts: [
          {
            marker: "flaky",
            steps: [{ type: "failing", times: 2, failure: ModelScript.providerFailure, reply: say("well") }]
          }
        ]
      },
      async (model) => {
        const statuses = async (text: string) => {
          const answers: Array<number> = []
          for (let index = 0; index < 3; index++) answers.push((await ask(model, [user(text)])).status)
          return answers
        }
        assert.deepStrictEqual(await statuses("flaky one"), [500, 500, 200])
        assert.deepStrictEqual(await statuses("flaky two"), [500, 500, 200])
      }
    )
  )

  it(
    "knows exactly what it reported",
    withModel(
      { scripts: [{ marker: "x", steps: [say("y", { prompt: 7, completion: 3, cached: 2 })] }] },
      async (model) => {
        const answer = await ask(model, [user("x")])
        assert.deepStrictEqual(dig(JSON.parse(answer.text), "usage"), {
          prompt_tokens: 7,
          completion_tokens: 3,
          total_tokens: 10,
          prompt_tokens_details: { cached_tokens: 2 }
        })
        await ask(model, [user("x")])
        assert.deepStrictEqual(model.reported(), { prompt: 14, completion: 6, cached: 4, calls: 2 })
      }
    )
  )

  it(
    "streams the same answer when it is asked to",
    withModel({ scripts }, async (model) => {
      const { headers, text } = await ask(model, [user("build")], { stream: true })
      assert.strictEqual(headers.get("content-type"), "text/event-stream")
      const chunks = text
        .split("\n\n")
        .filter((line) => line !== "")
        .map((line) => line.slice("data: ".length))
      assert.strictEqual(chunks.at(-1), "[DONE]")
      const parsed = chunks.slice(0, -1).map((chunk) => JSON.parse(chunk) as unknown)
      assert.strictEqual(dig(parsed[0], "choices.0.delta.tool_calls.0.function.name"), "terminal")
      assert.strictEqual(dig(parsed[1], "choices.0.finish_reason"), "tool_calls")
      assert.strictEqual(dig(parsed[2], "usage.prompt_tokens"), 100)
    })
  )

  it(
    "refuses keys it does not accept, and can be told others",
    withModel({ apiKeys: ["other"] }, async (model) => {
      assert.strictEqual((await ask(model, [user("hello")])).status, 401)
      model.acceptKeys(["key"])
      assert.strictEqual((await ask(model, [user("hello")])).status, 200)
    })
  )

  it(
    "reports an overflow of the context as providers do",
    withModel({ scripts: [{ marker: "x", steps: [ModelScript.contextOverflow] }] }, async (model) => {
      const answer = await ask(model, [user("x")])
      assert.strictEqual(answer.status, 400)
      assert.strictEqual(dig(JSON.parse(answer.text), "error.code"), "context_length_exceeded")
    })
  )

  it(
    "answers what offers no tools with a text, whatever it quotes",
    withModel({ scripts, withoutTools: say("in short") }, async (model) => {
      const answer = await ask(model, [user("summarise: please build")], { tools: [] })
      assert.strictEqual(dig(JSON.parse(answer.text), "choices.0.message.content"), "in short")
    })
  )

  it(
    "records requests",
    withModel({ scripts }, async (model) => {
      await ask(model, [user("build"), assistant, result])
      const [request] = model.requests
      assert.strictEqual(request?.authorization, "Bearer key")
      assert.strictEqual(request?.marker, "build")
      assert.strictEqual(request?.toolResults, 1)
    })
  )

  it("lets a request hang until it is closed", async () => {
    const model = await ScriptedModel.start({ scripts: [{ marker: "x", steps: [{ type: "hang" }] }] })
    const asked = ask(model, [user("x")]).then(
      () => "answered",
      () => "cut"
    )
    while (model.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await model.close()
    assert.strictEqual(await asked, "cut")
  })
})
