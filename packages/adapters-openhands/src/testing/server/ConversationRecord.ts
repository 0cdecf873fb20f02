/**
 * What a conversation is on disk and in memory: its base state and its events, and the store that keeps both across a
 * restart of the fake. The layout on disk is the agent-server's.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { parseJson } from "../LocalServer.ts"
import type { StampedEvent } from "./AgentEvents.ts"
import type { TurnStep } from "./TurnScript.ts"

/** The agent-server's states of a conversation. */
export type ExecutionStatus =
  | "idle"
  | "running"
  | "paused"
  | "waiting_for_confirmation"
  | "finished"
  | "error"
  | "stuck"
  | "deleting"

/** Token figures of one usage id, cumulative, as on the wire. */
export interface Metrics {
  model_name: string
  accumulated_cost: number
  max_budget_per_task: null
  accumulated_token_usage: TokenUsage
  costs: Array<{ readonly model: string; readonly cost: number; readonly timestamp: number }>
  response_latencies: Array<{ readonly model: string; readonly latency: number; readonly response_id: string }>
  token_usages: Array<TokenUsage>
}

export interface TokenUsage {
  readonly model: string
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly cache_read_tokens: number
  readonly cache_write_tokens: number
  readonly reasoning_tokens: number
  readonly context_window: number
  readonly per_turn_token: number
  readonly response_id: string
}

/** What a usage id starts with. */
export const emptyMetrics = (model: string): Metrics => ({
  model_name: model,
  accumulated_cost: 0,
  max_budget_per_task: null,
  accumulated_token_usage: {
    model,
    prompt_tokens: 0,
    completion_tokens: 0,
    cache_read_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    context_window: 0,
    per_turn_token: 0,
    response_id: ""
  },
  costs: [],
  response_latencies: [],
  token_usages: []
})

/** The work that a user message started, and how far it is. */
export interface TurnProgress {
  readonly messageId: string
  readonly steps: ReadonlyArray<TurnStep>
  readonly repeatLast: boolean
  position: number
}

/** Everything of a conversation but its events. No secret is in it: of a key only a digest is kept. */
export interface BaseState {
  readonly id: string
  readonly workingDir: string
  readonly maxIterations: number
  readonly stuckDetection: boolean
  readonly createdAt: string
  updatedAt: string
  status: ExecutionStatus
  title: string | null
  tags: Readonly<Record<string, string>>
  confirmationPolicy: Readonly<Record<string, unknown>>
  /** The agent as it is shown: without its key. */
  agent: Readonly<Record<string, unknown>>
  keyDigest: string | null
  secretNames: ReadonlyArray<string>
  lastUserMessageId: string | null
  readonly forkedFrom: string | null
  readonly metrics: Record<string, Metrics>
  turn: TurnProgress | null
}

export interface ConversationRecord {
  readonly base: BaseState
  readonly events: Array<StampedEvent>
}

/** Keeps records across a restart. */
export interface RecordStore {
  readonly load: () => ReadonlyArray<ConversationRecord>
  readonly save: (record: ConversationRecord) => void
  readonly append: (record: ConversationRecord, event: StampedEvent) => void
  readonly remove: (id: string) => void
}

/** Keeps records for as long as the fake lives: a restart finds them as last saved, another process does not. */
export const memory = (): RecordStore => {
  const bases = new Map<string, BaseState>()
  const logs = new Map<string, Array<StampedEvent>>()
  return {
    load: () => [...bases.values()].map((base) => ({ base: copyOf(base), events: [...(logs.get(base.id) ?? [])] })),
    save: ({ base }) => void bases.set(base.id, copyOf(base)),
    append: ({ base }, event) => {
      const log = logs.get(base.id)
      if (log === undefined) logs.set(base.id, [event])
      else log.push(event)
    },
    remove: (id) => {
      bases.delete(id)
      logs.delete(id)
    }
  }
}

/** A copy that does not follow its original; the callbacks of scripts stay the same. */
export const copyOf = (base: BaseState): BaseState => {
  const { turn, ...plain } = base
  return { ...structuredClone(plain), turn: turn === null ? null : { ...turn } }
}

/** Keeps records in a directory, one conversation a folder. Callbacks of scripts do not survive. */
export const directory = (root: string): RecordStore => {
  const folder = (id: string) => join(root, id.replaceAll("-", ""))
  return {
    load: () => {
      mkdirSync(root, { recursive: true })
      return readdirSync(root).flatMap((name) => read(join(root, name)))
    },
    save: (record) => {
      const path = folder(record.base.id)
      mkdirSync(join(path, "events"), { recursive: true })
      writeFileSync(join(path, "base_state.json"), JSON.stringify(record.base))
    },
    append: (record, event) => {
      const number = String(record.events.length - 1).padStart(5, "0")
      writeFileSync(join(folder(record.base.id), "events", `event-${number}-${event.id}.json`), JSON.stringify(event))
    },
    remove: (id) => rmSync(folder(id), { recursive: true, force: true })
  }
}

/** An unreadable event is skipped, an unreadable base state hides its conversation, as in the agent-server. */
const read = (path: string): ReadonlyArray<ConversationRecord> => {
  const load = (file: string): unknown => {
    try {
      return parseJson(readFileSync(file, "utf8"))
    } catch {
      return undefined
    }
  }
  const base = load(join(path, "base_state.json"))
  if (base === undefined) return []
  const events = readdirSync(join(path, "events"))
    .sort()
    .flatMap((file) => {
      const event = load(join(path, "events", file))
      return event === undefined ? [] : [event as StampedEvent]
    })
  return [{ base: base as BaseState, events }]
}
