/** An agent of a conformance case as a script of the fake agent-server, and what the server knows of it. */
import type { AgentSession, AgentRuntimeService } from "@opensymphony/core/ports/AgentRuntime"
import { AgentEvent } from "@opensymphony/core/ports/AgentRuntime"
import { SessionId } from "@opensymphony/core/domain/Ids"
import type { AgentPlay } from "@opensymphony/core/testing"
import { Effect } from "effect"
import { type FakeAgentServer, TurnScript } from "../../src/testing/index.ts"

const utterance = (text: string): TurnScript.TurnStep => ({
  type: "emit",
  event: {
    kind: "MessageEvent",
    source: "agent",
    llm_message: { role: "assistant", content: [{ type: "text", text }] },
    activated_skills: [],
    extended_content: []
  }
})

const nothing = { prompt: 0, completion: 0, cached: 0 }

const ending = ({ ending, uses }: AgentPlay.AgentPlay): TurnScript.TurnStep => {
  switch (ending._tag) {
    case "Completes": {
      const usage =
        uses === null
          ? { ...nothing, cost: 0 }
          : {
              prompt: uses.inputTokens + uses.cacheReadTokens,
              completion: uses.outputTokens,
              cached: uses.cacheReadTokens,
              cost: uses.costUsd
            }
      return { type: "finish", message: ending.summary ?? "", usage }
    }
    case "Fails":
      return TurnScript.fail("RuntimeError", "it cannot be done")
    case "Hangs":
      return { type: "hang" }
    case "UsageLimited":
      return TurnScript.fail(
        "LLMRateLimitError",
        `litellm.RateLimitError: usage limit reached${ending.untilMs === null ? "" : `, resets at ${new Date(ending.untilMs).toISOString()}`}`,
        { kind: "rate_limit", retryable: true, user_action: "retry" }
      )
  }
}

export const steps = (play: AgentPlay.AgentPlay): ReadonlyArray<TurnScript.TurnStep> => [
  ...play.says.map(utterance),
  ending(play)
]

/**
 * The runtime with its sessions called as the play calls them: a conversation's id is made here and not named by the
 * agent, so the names are exchanged on the way in and out.
 */
export const renamed = (runtime: AgentRuntimeService, name: SessionId | null): AgentRuntimeService => {
  if (name === null) return runtime
  let real: SessionId | null = null
  const outward = (session: SessionId): SessionId => {
    real = session
    return name
  }
  return {
    ...runtime,
    openSession: (request) =>
      runtime.openSession({ ...request, resume: request.resume === name ? real : request.resume }).pipe(
        Effect.map((session): AgentSession => ({
          ...session,
          session: Effect.map(session.session, (id) => (id === null ? null : outward(id))),
          runTurn: (turn, onEvent) =>
            session.runTurn(turn, (event) =>
              onEvent(
                event._tag === "SessionReported"
                  ? AgentEvent.SessionReported({ session: outward(event.session) })
                  : event
              )
            )
        }))
      )
  }
}

const inWorkspace = (server: FakeAgentServer.FakeAgentServer, path: string) =>
  server.conversations().filter(({ workspace }) => workspace === path)

export const working = (server: FakeAgentServer.FakeAgentServer, path: string): boolean =>
  inWorkspace(server, path).some(({ status }) => status === "running")

export const prompts = (server: FakeAgentServer.FakeAgentServer, path: string): ReadonlyArray<string> =>
  inWorkspace(server, path).flatMap(({ messages }) => messages)
