/** Turns: what a run does, in which order it tells it, and how it ends. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import {
  call,
  contextOverflow,
  finish,
  type ModelReply,
  providerFailure,
  rateLimited,
  say,
  shell,
  shellThenFinish,
  unauthorized
} from "../../src/testing/model/ModelScript.ts"
import { dig, type Json, make, shape } from "./Client.ts"
import type { ContractCase } from "./Subject.ts"

/** A failure of the provider, and what a client is told. */
const failure = (name: string, reply: ModelReply, code: string, classification: unknown): ContractCase => ({
  name: `ends the run in an error when the model ${name}`,
  run: async (subject) => {
    subject.script({ marker: `model-${code}`, steps: [reply] })
    const client = make(subject)
    const id = await client.create()
    await client.turn(id, `model-${code}`, "error")
    const error = await client.event(id, "the error", ({ kind }) => kind === "ConversationErrorEvent")
    assert.strictEqual(error.code, code)
    assert.deepStrictEqual(error.classification, classification)
    const shapes = (await client.events(id)).map(shape)
    assert.isBelow(shapes.indexOf("status:error"), shapes.indexOf("ConversationErrorEvent"))
  }
})

const RETRY = { retryable: true, user_action: "retry" }

const usageOf = async (client: ReturnType<typeof make>, id: string) =>
  dig(await client.info(id), "stats.usage_to_metrics.agent") as Json

export const runCases: ReadonlyArray<ContractCase> = [
  {
    name: "carries out a tool call and finishes, in a known order",
    run: async (subject) => {
      subject.script(shellThenFinish("tool-turn", "echo made > made.txt", "all done"))
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "tool-turn")
      const shapes = (await client.events(id)).map(shape).filter((name) => name !== "stats")
      assert.deepStrictEqual(shapes, [
        "SystemPromptEvent",
        "message:user",
        "last_user_message_id",
        "status:running",
        "ActionEvent:terminal",
        "ObservationEvent:terminal",
        "ActionEvent:finish",
        "ObservationEvent:finish",
        "status:finished"
      ])
      const directory = String(dig(await client.info(id), "workspace.working_dir"))
      assert.strictEqual(await readFile(join(directory, "made.txt"), "utf8"), "made\n")
      const response = await client.request("GET", client.at(id, "/agent_final_response"))
      assert.deepStrictEqual(response.body, { response: "all done" })
    }
  },
  {
    name: "links a tool's action and its observation",
    run: async (subject) => {
      subject.script(shellThenFinish("linked-turn", "echo linked"))
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "linked-turn")
      const events = await client.events(id)
      const action = events.find((event) => shape(event) === "ActionEvent:terminal")
      const observation = events.find((event) => shape(event) === "ObservationEvent:terminal")
      assert.strictEqual(dig(action, "action.kind"), "TerminalAction")
      assert.strictEqual(dig(action, "action.command"), "echo linked")
      assert.strictEqual(dig(observation, "observation.kind"), "TerminalObservation")
      assert.include(String(dig(observation, "observation.content.0.text")), "linked")
      assert.strictEqual(observation?.action_id, action?.id)
      assert.strictEqual(observation?.tool_call_id, action?.tool_call_id)
      assert.strictEqual(dig(action, "tool_call.name"), "terminal")
    }
  },
  {
    name: "finishes with a text without a tool call, which is the final response",
    run: async (subject) => {
      subject.script({ marker: "text-turn", steps: [say("just a text")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "text-turn")
      const response = await client.request("GET", client.at(id, "/agent_final_response"))
      assert.deepStrictEqual(response.body, { response: "just a text" })
      assert.include((await client.events(id)).map(shape), "message:agent")
    }
  },
  {
    name: "has no final response before the first one",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const response = await client.request("GET", client.at(id, "/agent_final_response"))
      assert.deepStrictEqual(response.body, { response: "" })
    }
  },
  {
    name: "does nothing on a run of a finished conversation but tells its state again",
    run: async (subject) => {
      subject.script({ marker: "no-op-turn", steps: [say("done")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "no-op-turn")
      const socket = await client.attached(id)
      const before = (await client.events(id)).length
      assert.deepStrictEqual((await client.run(id)).body, { success: true })
      await client.until("the state again", () => (socket.frames.length >= 2 ? true : undefined))
      assert.deepStrictEqual(socket.frames.map(shape), ["full_state", "full_state"])
      assert.strictEqual((await client.events(id)).length, before)
      socket.close()
    }
  },
  {
    name: "counts usage per call exactly, cumulative over turns",
    run: async (subject) => {
      subject.script({
        marker: "counted-turn",
        steps: [
          shell("true", { prompt: 1000, completion: 100, cached: 400 }),
          finish("counted", { prompt: 2000, completion: 50, cached: 0 })
        ]
      })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "counted-turn")
      const once = await usageOf(client, id)
      assert.strictEqual(dig(once, "accumulated_token_usage.prompt_tokens"), 3000)
      assert.strictEqual(dig(once, "accumulated_token_usage.completion_tokens"), 150)
      assert.strictEqual(dig(once, "accumulated_token_usage.cache_read_tokens"), 400)
      assert.closeTo(Number(once.accumulated_cost), 3000 * 1e-6 + 150 * 2e-6, 1e-12)
      assert.strictEqual((once.token_usages as ReadonlyArray<unknown>).length, 2)
      await client.turn(id, "counted-turn again")
      const twice = await usageOf(client, id)
      assert.strictEqual(dig(twice, "accumulated_token_usage.prompt_tokens"), 6000)
      assert.closeTo(Number(twice.accumulated_cost), 2 * Number(once.accumulated_cost), 1e-12)
    }
  },
  {
    name: "tells usage in events without the lists that grow",
    run: async (subject) => {
      subject.script({ marker: "stats-turn", steps: [say("done")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "stats-turn")
      const stats = await client.event(id, "a stats event", ({ key }) => key === "stats")
      const metrics = dig(stats, "value.usage_to_metrics.agent") as Json
      assert.strictEqual(dig(metrics, "accumulated_token_usage.prompt_tokens"), 100)
      assert.notProperty(metrics, "token_usages")
      assert.notProperty(metrics, "costs")
    }
  },
  {
    name: "refuses a second run while one is going on",
    run: async (subject) => {
      subject.script({ marker: "slow-turn", steps: [{ ...say("at last"), delayMs: 3000 } as ModelReply] })
      const client = make(subject)
      const id = await client.create()
      await client.say(id, "slow-turn")
      const answers = await Promise.all([1, 2, 3].map(() => client.run(id)))
      assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 409, 409])
      const detail = "Conversation already running. Wait for completion or pause first."
      assert.strictEqual(dig(answers.find(({ status }) => status === 409)?.body, "detail"), detail)
      await client.rests(id, "finished")
    }
  },
  {
    name: "tells the agent about arguments that are no JSON, and goes on",
    run: async (subject) => {
      subject.script({ marker: "broken-call", steps: [call("terminal", "{oops"), finish("went on")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "broken-call")
      const events = await client.events(id)
      const action = events.find((event) => shape(event) === "ActionEvent:terminal")
      assert.isDefined(action)
      assert.notProperty(action ?? {}, "action")
      assert.include(events.map(shape), "AgentErrorEvent")
    }
  },
  failure("refuses the key", unauthorized, "LLMAuthenticationError", {
    kind: "auth",
    retryable: false,
    user_action: "settings"
  }),
  failure("limits the rate", rateLimited, "LLMRateLimitError", { kind: "rate_limit", ...RETRY }),
  failure("fails", providerFailure, "LLMServiceUnavailableError", { kind: "transient", ...RETRY }),
  failure("has no room for the history", contextOverflow, "LLMContextWindowExceedError", {
    kind: "agent_action",
    ...RETRY
  }),
  {
    name: "goes on after an error with a new message; the message alone does not clear it",
    run: async (subject) => {
      subject.script({ marker: "error-first", steps: [providerFailure] })
      subject.script({ marker: "then-well", steps: [say("well again")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "error-first", "error")
      await client.say(id, "then-well")
      assert.strictEqual(await client.status(id), "error")
      await client.run(id)
      await client.rests(id, "finished")
    }
  },
  {
    name: "detects that the same action gives the same result four times, without an error event",
    run: async (subject) => {
      subject.script({ marker: "same-again", steps: [shell("echo same")] })
      const client = make(subject)
      const id = await client.create()
      await client.turn(id, "same-again", "stuck")
      const shapes = (await client.events(id)).map(shape)
      assert.strictEqual(shapes.filter((name) => name === "ObservationEvent:terminal").length, 4)
      assert.notInclude(shapes, "ConversationErrorEvent")
    }
  },
  {
    name: "ends a run that takes more steps than allowed",
    run: async (subject) => {
      subject.script({
        marker: "too-long",
        steps: [shell("echo 1"), shell("echo 2"), shell("echo 3"), finish("never")]
      })
      const client = make(subject)
      const id = await client.create({ max_iterations: 2 })
      await client.turn(id, "too-long", "error")
      const error = await client.event(id, "the error", ({ kind }) => kind === "ConversationErrorEvent")
      assert.strictEqual(error.code, "MaxIterationsReached")
    }
  },
  {
    name: "waits for a confirmation and goes on when it is given",
    run: async (subject) => {
      subject.script(shellThenFinish("confirmed-one", "echo confirmed"))
      const client = make(subject)
      const id = await client.create({ confirmation_policy: { kind: "AlwaysConfirm" } })
      await client.turn(id, "confirmed-one", "waiting_for_confirmation")
      assert.notInclude((await client.events(id)).map(shape), "ObservationEvent:terminal")
      await client.request("POST", client.at(id, "/events/respond_to_confirmation"), { accept: true })
      await client.rests(id, "finished")
      assert.include((await client.events(id)).map(shape), "ObservationEvent:terminal")
    }
  },
  {
    name: "takes a run of a conversation that waits for a confirmation as the confirmation",
    run: async (subject) => {
      subject.script(shellThenFinish("run-confirms", "echo confirmed"))
      const client = make(subject)
      const id = await client.create({ confirmation_policy: { kind: "AlwaysConfirm" } })
      await client.turn(id, "run-confirms", "waiting_for_confirmation")
      await client.run(id)
      await client.rests(id, "finished")
      assert.include((await client.events(id)).map(shape), "ObservationEvent:terminal")
    }
  },
  {
    name: "is idle after a confirmation was refused",
    run: async (subject) => {
      subject.script(shellThenFinish("refused-one", "echo never"))
      const client = make(subject)
      const id = await client.create({ confirmation_policy: { kind: "AlwaysConfirm" } })
      await client.turn(id, "refused-one", "waiting_for_confirmation")
      const refusal = { accept: false, reason: "not that" }
      await client.request("POST", client.at(id, "/events/respond_to_confirmation"), refusal)
      await client.rests(id, "idle")
      const rejected = await client.event(id, "the refusal", ({ kind }) => kind === "UserRejectObservation")
      assert.strictEqual(rejected.rejection_reason, "not that")
    }
  },
  {
    name: "condenses on order, its usage under the condenser's own id",
    run: async (subject) => {
      subject.script(shellThenFinish("condensed-one", "echo one"))
      subject.script({ marker: "condensed-two", steps: [say("two")] })
      const client = make(subject)
      const llm = { ...subject.llm(), usage_id: "condenser" }
      const condenser = { kind: "LLMSummarizingCondenser", llm, max_size: 240, keep_first: 2 }
      const id = await client.create({ agent: { condenser } })
      await client.turn(id, "condensed-one")
      await client.turn(id, "condensed-two")
      assert.deepStrictEqual((await client.request("POST", client.at(id, "/condense"))).body, { success: true })
      const condensation = await client.event(id, "the condensation", ({ kind }) => kind === "Condensation")
      assert.isNotEmpty(condensation.forgotten_event_ids)
      assert.isNotEmpty(condensation.summary)
      assert.include((await client.events(id)).map(shape), "CondensationRequest")
      const usage = await client.until("the condenser's usage", async () =>
        dig(await client.info(id), "stats.usage_to_metrics.condenser")
      )
      assert.isAbove(Number(dig(usage, "accumulated_token_usage.prompt_tokens")), 0)
    }
  },
  {
    name: "cannot condense without a condenser",
    run: async (subject) => {
      const client = make(subject)
      const id = await client.create()
      const answer = await client.request("POST", client.at(id, "/condense"))
      assert.strictEqual(answer.status, 500)
      assert.include(String(dig(answer.body, "exception")), "No condenser configured")
    }
  }
]
