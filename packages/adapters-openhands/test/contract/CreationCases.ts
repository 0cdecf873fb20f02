/** Conversations: made, refused, found, changed, forked, removed. */
import { assert } from "@effect/vitest"
import { finish, say, shell, shellThenFinish } from "../../src/testing/model/ModelScript.ts"
import { dig, type Json, make, shape } from "./Client.ts"
import type { ContractCase } from "./Subject.ts"

const MISSING = "00000000-0000-4000-8000-000000000000"

export const creationCases: ReadonlyArray<ContractCase> = [
  {
    name: "creates a conversation under the id it is given, idle and without events",
    run: async (subject) => {
      const client = make(subject)
      const body = client.createBody({ tags: { issue: "A-1" } })
      const answer = await client.request("POST", "/api/conversations", body)
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(dig(answer.body, "id"), body.conversation_id)
      assert.strictEqual(dig(answer.body, "execution_status"), "idle")
      assert.deepStrictEqual(dig(answer.body, "tags"), { issue: "A-1" })
      assert.strictEqual(dig(answer.body, "workspace.working_dir"), body.workspace.working_dir)
      assert.deepStrictEqual(dig(answer.body, "stats"), { usage_to_metrics: {} })
      assert.deepStrictEqual(await client.events(body.conversation_id), [])
    }
  },
  {
    name: "answers 200 for an id that exists and ignores what the body says",
    run: async (subject) => {
      const client = make(subject)
      const body = client.createBody({ tags: { first: "1" } })
      await client.request("POST", "/api/conversations", body)
      const content = [{ type: "text", text: "ignored" }]
      const again = { ...body, tags: { second: "2" }, initial_message: { role: "user", content } }
      const answer = await client.request("POST", "/api/conversations", again)
      assert.strictEqual(answer.status, 200)
      assert.deepStrictEqual(dig(answer.body, "tags"), { first: "1" })
      assert.deepStrictEqual(await client.events(body.conversation_id), [])
    }
  },
  {
    name: "creates once when asked three times at the same time",
    run: async (subject) => {
      const client = make(subject)
      const body = client.createBody()
      const answers = await Promise.all([1, 2, 3].map(() => client.request("POST", "/api/conversations", body)))
      assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 200, 201])
    }
  },
  {
    name: "runs an initial message by itself",
    run: async (subject) => {
      subject.script({ marker: "initial-one", steps: [say("hello")] })
      const client = make(subject)
      const content = [{ type: "text", text: "initial-one" }]
      const id = await client.create({ initial_message: { role: "user", content, run: false } })
      await client.rests(id, "finished")
    }
  },
  {
    name: "never shows the LLM's key",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const info = await client.info(id)
      assert.notInclude(JSON.stringify(info), "test-key")
      assert.isNull(dig(info, "agent.llm.api_key"))
      const socket = await client.attached(id)
      assert.strictEqual(dig(socket.frames[0], "value.agent.llm.api_key"), "**********")
      socket.close()
    }
  },
  {
    name: "refuses tags with other than lower-case letters and digits, or a value over 256 characters",
    run: async (subject) => {
      const client = make(subject)
      for (const tags of [{ run_id: "x" }, { "run-id": "x" }, { RunId: "x" }, { run: "x".repeat(257) }]) {
        const answer = await client.request("POST", "/api/conversations", client.createBody({ tags }))
        assert.strictEqual(answer.status, 422, JSON.stringify(tags))
        assert.deepStrictEqual(dig(answer.body, "detail.0.loc"), ["body", "tags"])
      }
    }
  },
  {
    name: "refuses a body without a workspace, and without its key in the answer",
    run: async (subject) => {
      const client = make(subject)
      const { workspace: _, ...body } = client.createBody()
      const answer = await client.request("POST", "/api/conversations", body)
      assert.strictEqual(answer.status, 422)
      assert.deepStrictEqual(dig(answer.body, "detail.0.loc"), ["body", "workspace"])
      assert.notInclude(JSON.stringify(answer.body), "test-key")
    }
  },
  {
    name: "refuses an agent of a kind it does not have",
    run: async (subject) => {
      const client = make(subject)
      const answer = await client.request(
        "POST",
        "/api/conversations",
        client.createBody({ agent: { kind: "Nobody" } })
      )
      assert.strictEqual(answer.status, 422)
      assert.deepStrictEqual(dig(answer.body, "detail.0.loc"), ["body", "agent"])
    }
  },
  {
    name: "takes MCP servers as a flat map and refuses the wrapped form",
    run: async (subject) => {
      const client = make(subject)
      const servers = { tracker: { command: "node", args: ["server.mjs"], env: { MARK: "1" } } }
      const flat = client.createBody({ agent: { mcp_config: servers } })
      assert.strictEqual((await client.request("POST", "/api/conversations", flat)).status, 201)
      const wrapped = client.createBody({ agent: { mcp_config: { mcpServers: servers } } })
      const answer = await client.request("POST", "/api/conversations", wrapped)
      assert.strictEqual(answer.status, 422)
      assert.strictEqual(dig(answer.body, "detail.0.type"), "extra_forbidden")
    }
  },
  {
    name: "ignores fields it does not know",
    run: async (subject) => {
      const client = make(subject)
      const body = client.createBody({
        mcp_config: { mcpServers: {} },
        persistence_dir: "/nowhere",
        llm: { colour: 1 }
      })
      assert.strictEqual((await client.request("POST", "/api/conversations", body)).status, 201)
    }
  },
  {
    name: "takes a tool that it does not have, and fails at the first message",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create({ agent: { tools: [{ name: "no_such_tool", params: {} }] } })
      const answer = await client.say(id, "hello")
      assert.strictEqual(answer.status, 500)
      assert.include(String(dig(answer.body, "exception")), "no_such_tool")
      assert.strictEqual(dig(answer.body, "detail"), "Internal Server Error")
    }
  },
  {
    name: "answers for a conversation that is missing: 404 mostly, 400 for what stops or deletes, 200 for a change",
    run: async (subject) => {
      const client = make(subject)
      const message = { role: "user", content: [] }
      const expected: ReadonlyArray<readonly [string, string, unknown, number]> = [
        ["GET", "", undefined, 404],
        ["DELETE", "", undefined, 400],
        ["PATCH", "", { title: "x" }, 200],
        ["POST", "/run", undefined, 404],
        ["POST", "/pause", undefined, 400],
        ["POST", "/interrupt", undefined, 400],
        ["POST", "/events", message, 404],
        ["GET", "/events/search", undefined, 404],
        ["GET", "/events/count", undefined, 404],
        ["GET", "/agent_final_response", undefined, 404],
        ["POST", "/secrets", { secrets: { A: "b" } }, 404],
        ["POST", "/switch_llm", { llm: { model: "openai/x" } }, 404],
        ["POST", "/condense", undefined, 404],
        ["POST", "/fork", {}, 404],
        ["POST", "/events/respond_to_confirmation", { accept: true }, 404]
      ]
      const seen = await Promise.all(
        expected.map(async ([method, path, body]) => {
          const { status } = await client.request(method, client.at(MISSING, path), body)
          return [method, path, body, status] as const
        })
      )
      assert.deepStrictEqual(seen, expected)
      const patched = await client.request("PATCH", client.at(MISSING), { title: "x" })
      assert.deepStrictEqual(patched.body, { success: false })
    }
  },
  {
    name: "answers 422 for an id that is no UUID",
    run: async (subject) => {
      const client = make(subject)
      const answer = await client.request("POST", "/api/conversations/not-an-id/run")
      assert.strictEqual(answer.status, 422)
      assert.strictEqual(dig(answer.body, "detail.0.type"), "uuid_parsing")
    }
  },
  {
    name: "lists, filters, counts and pages; the next page's id is undashed and inclusive",
    run: async (subject) => {
      const client = make(subject)
      const ids = [await client.create(), await client.create(), await client.create()]
      const read = async (query: string) => (await client.request("GET", `/api/conversations/search?${query}`)).body
      const first = await read("limit=2")
      assert.deepStrictEqual(
        (dig(first, "items") as ReadonlyArray<Json>).map(({ id }) => id),
        [ids[2], ids[1]]
      )
      assert.strictEqual(dig(first, "next_page_id"), ids[0]?.replaceAll("-", ""))
      const second = await read(`limit=2&page_id=${String(dig(first, "next_page_id"))}`)
      assert.strictEqual(dig(second, "items.0.id"), ids[0])
      const count = await client.request("GET", "/api/conversations/count?status=idle")
      assert.isAtLeast(Number(count.body), 3)
      const batch = await client.request("GET", `/api/conversations?ids=${ids[0]}&ids=${MISSING}`)
      assert.strictEqual(dig(batch.body, "0.id"), ids[0])
      assert.isNull(dig(batch.body, "1"))
      assert.strictEqual((await client.request("GET", "/api/conversations/search?limit=101")).status, 422)
    }
  },
  {
    name: "changes title and tags",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create({ tags: { a: "1" } })
      const answer = await client.request("PATCH", client.at(id), { title: "A title", tags: { b: "2" } })
      assert.deepStrictEqual(answer.body, { success: true })
      const info = await client.info(id)
      assert.strictEqual(info.title, "A title")
      assert.deepStrictEqual(info.tags, { b: "2" })
      assert.strictEqual((await client.request("PATCH", client.at(id), { tags: { b_: "2" } })).status, 422)
    }
  },
  {
    name: "shows the names of secrets from the next change on, and never their values",
    run: async (subject) => {
      subject.script({ marker: "after-secrets", steps: [say("fine")] })
      const client = make(subject)
      const id = await client.create()
      const answer = await client.request("POST", client.at(id, "/secrets"), { secrets: { MY_TOKEN: "the-value" } })
      assert.deepStrictEqual(answer.body, { success: true })
      const names = (info: unknown) => Object.keys(dig(info, "secret_registry.secret_sources") as object)
      assert.deepStrictEqual(names(await client.info(id)), [])
      await client.turn(id, "after-secrets")
      const info = await client.info(id)
      assert.deepStrictEqual(names(info), ["MY_TOKEN"])
      assert.notInclude(JSON.stringify(info), "the-value")
    }
  },
  {
    name: "switches the LLM of a conversation",
    run: async (subject) => {
      subject.script({ marker: "switched-one", steps: [say("still here")] })
      const client = make(subject)
      const id = await client.create()
      const llm = { ...subject.llm(), model: "openai/another", api_key: "another-key" }
      const answer = await client.request("POST", client.at(id, "/switch_llm"), { llm })
      assert.deepStrictEqual(answer.body, { success: true })
      assert.strictEqual(dig(await client.info(id), "agent.llm.model"), "openai/another")
      await client.turn(id, "switched-one")
      assert.strictEqual((await client.request("POST", client.at(id, "/switch_llm"), { llm: {} })).status, 422)
    }
  },
  {
    name: "forks a conversation with its history, idle, its usage counted from zero",
    run: async (subject) => {
      subject.script({ marker: "forked-one", steps: [say("hello")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "forked-one")
      const answer = await client.request("POST", client.at(id, "/fork"), { title: "The fork" })
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(dig(answer.body, "execution_status"), "idle")
      assert.strictEqual(dig(answer.body, "forked_from_conversation_id"), id)
      const copied = (await client.events(String(dig(answer.body, "id")))).map(shape)
      assert.include(copied, "message:user")
      assert.include(copied, "message:agent")
      assert.deepStrictEqual(dig(answer.body, "stats.usage_to_metrics"), {})
      const taken = await client.request("POST", client.at(id, "/fork"), { id: dig(answer.body, "id") })
      assert.strictEqual(taken.status, 409)
    }
  },
  {
    name: "deletes a conversation that is at rest: gone, and a second deletion is 400",
    run: async (subject) => {
      subject.script(shellThenFinish("deleted-one", "true"))
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "deleted-one")
      assert.deepStrictEqual((await client.request("DELETE", client.at(id))).body, { success: true })
      assert.strictEqual((await client.request("GET", client.at(id))).status, 404)
      assert.strictEqual((await client.request("DELETE", client.at(id))).status, 400)
    }
  },
  {
    name: "waits with a deletion until the running tool has ended; the rest of the server goes on",
    run: async (subject) => {
      subject.script({ marker: "busy-one", steps: [shell("sleep 4"), finish("slept")] })
      const client = make(subject)
      const id = await client.create()
      await client.say(id, "busy-one", true)
      await client.event(id, "the command", ({ kind }) => kind === "ActionEvent")
      let deleted = false
      const deletion = client.request("DELETE", client.at(id)).then((answer) => {
        deleted = true
        return answer
      })
      const others = await client.request("GET", "/api/conversations/count")
      assert.strictEqual(others.status, 200)
      assert.isFalse(deleted)
      assert.strictEqual((await deletion).status, 200)
      assert.strictEqual((await client.request("GET", client.at(id))).status, 404)
    }
  }
]
