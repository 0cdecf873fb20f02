// What an agent-server sends while an agent works, by the shape of 1.57.0: for each step a call of the terminal, its
// result, and the statistics.
import type { Usage } from "@opensymphony/core/domain/Usage"

const eventsPerStep = 3
const outputTokensPerStep = 50

const commandBegin = "at "
const output = "  ok  packages/core/test/scheduler/Transition.test.ts (41 tests) 212 ms\n".repeat(14)
const content = [{ cache_prompt: false, type: "text", text: output }]
const metadata = { exit_code: 0, pid: -1, username: "agent", hostname: "sandbox", working_dir: "/workspace" }
const observation = { content, is_error: false, command: "npm test", exit_code: 0, timeout: false, metadata }

type Event = { readonly [field: string]: unknown }

const call = (command: string): Event => ({
  kind: "ActionEvent",
  source: "agent",
  thought: [{ cache_prompt: false, type: "text", text: "The suite says whether the change holds." }],
  thinking_blocks: [],
  action: { command, is_input: false, timeout: null, reset: false, kind: "TerminalAction" },
  tool_name: "terminal",
  tool_call_id: "call_00_7lRkO1",
  tool_call: { id: "call_00_7lRkO1", name: "terminal", arguments: JSON.stringify({ command }), origin: "completion" },
  llm_response_id: "chatcmpl-7f0a3c",
  security_risk: "LOW",
  summary: "run the tests"
})

const result: Event = {
  kind: "ObservationEvent",
  source: "environment",
  tool_name: "terminal",
  tool_call_id: "call_00_7lRkO1",
  observation: { ...observation, kind: "TerminalObservation" },
  action_id: "0b9fc7a2-5d31-4c1e-9f27-000000000000",
  extended_content: []
}

const statistics = (step: number): Event => ({
  kind: "ConversationStateUpdateEvent",
  source: "environment",
  key: "stats",
  value: {
    usage_to_metrics: {
      agent: {
        model_name: "openai/scripted",
        accumulated_cost: step / 1_000,
        max_budget_per_task: null,
        accumulated_token_usage: {
          model: "openai/scripted",
          prompt_tokens: (step + 1) * 1_000,
          completion_tokens: (step + 1) * outputTokensPerStep,
          cache_read_tokens: step * 900,
          cache_write_tokens: 0,
          reasoning_tokens: 0,
          context_window: 128_000,
          per_turn_token: 1_050,
          response_id: ""
        }
      }
    }
  }
})

/** Milliseconds of a clock that all processes of the machine share. */
export const instant = (): number => Number(process.hrtime.bigint()) / 1e6

/** The event with this number in its conversation; a call carries the instant at which it was made. */
export const event = (number: number): Event => {
  const step = Math.floor(number / eventsPerStep)
  switch (number % eventsPerStep) {
    case 0:
      return call(commandBegin + instant().toFixed(3))
    case 1:
      return result
    default:
      return statistics(step)
  }
}

/** When the call was made that a summary is about; null when it is about something else. */
export const instantIn = (summary: string): number | null => {
  const begin = `$ ${commandBegin}`
  return summary.startsWith(begin) ? Number(summary.slice(begin.length)) : null
}

/** After how many steps a conversation has used that much. */
export const stepsIn = ({ outputTokens }: Usage): number => outputTokens / outputTokensPerStep

const stamped = (number: number, event: Event): string =>
  JSON.stringify({
    id: `0b9fc7a2-5d31-4c1e-9f27-${number.toString(16).padStart(12, "0")}`,
    timestamp: "2026-11-22T19:48:21.077335",
    parent_id: "c633cd72-92d5-4d7a-8b5c-f98a95e2163f",
    ...event
  })

/** Frames of a working agent, as they come over the socket. */
export const frames = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, number) => stamped(number, event(number)))

/** A frame with the result of a command that wrote a lot. */
export const largeResult = (bytes: number): string =>
  stamped(0, {
    ...result,
    observation: { ...observation, content: [{ type: "text", text: "line of output\n".repeat(bytes / 15) }] }
  })

/** The frame with the whole state of a conversation that called its model so often. */
export const fullState = (calls: number): string => {
  const { value } = statistics(calls) as { readonly value: { readonly usage_to_metrics: { readonly agent: object } } }
  const each = { model: "openai/scripted", prompt_tokens: 1_000, completion_tokens: 50, response_id: "chatcmpl-7f0a3c" }
  const history = {
    costs: Array.from({ length: calls }, () => ({
      model: "openai/scripted",
      cost: 0.001,
      timestamp: 1_795_374_501.07
    })),
    token_usages: Array.from({ length: calls }, () => each),
    response_latencies: Array.from({ length: calls }, () => ({ model: "openai/scripted", latency: 1.24 }))
  }
  return stamped(0, {
    kind: "ConversationStateUpdateEvent",
    source: "environment",
    key: "full_state",
    value: {
      execution_status: "running",
      stats: { usage_to_metrics: { agent: { ...value.usage_to_metrics.agent, ...history } } },
      agent_state: {}
    }
  })
}
