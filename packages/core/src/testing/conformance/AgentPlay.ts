/** What an agent of a conformance case does in a turn, as data: a subject puts it into the terms of its runtime. */
import * as Data from "effect/Data"
import type { SessionId } from "../../domain/Ids.ts"
import type { Usage } from "../../domain/Usage.ts"

/** How the agent's turns end; the same for every turn. */
export type AgentEnding = Data.TaggedEnum<{
  Completes: { readonly summary: string | null }
  /** The agent gives up. */
  Fails: {}
  /** It goes on forever: the turn ends only from outside. */
  Hangs: {}
  /** Its provider refuses work until then, in epoch milliseconds; null when it does not say until when. */
  UsageLimited: { readonly untilMs: number | null }
}>
export const AgentEnding = Data.taggedEnum<AgentEnding>()

/** In every turn the agent does these things in this order. */
export interface AgentPlay {
  /** Signs of life, at least one. */
  readonly says: readonly [string, ...ReadonlyArray<string>]
  /** What it calls its session, null when it names none. */
  readonly session: SessionId | null
  /** What it consumes in this one turn, null when it reports nothing. */
  readonly uses: Usage | null
  readonly ending: AgentEnding
}

/** An agent that says one thing, and ends like this. */
export const ending = (ending: AgentEnding): AgentPlay => ({ says: ["at work"], session: null, uses: null, ending })

export const hangs: AgentPlay = ending(AgentEnding.Hangs())
export const fails: AgentPlay = ending(AgentEnding.Fails())
export const completes: AgentPlay = ending(AgentEnding.Completes({ summary: "all done" }))
