/** All conversations of one life of the fake: created, found, forked, deleted, and loaded again after a restart. */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { randomUUID } from "node:crypto"
import * as AgentEvents from "./AgentEvents.ts"
import * as AgentLoop from "./AgentLoop.ts"
import * as Conversation from "./Conversation.ts"
import type { BaseState, ConversationRecord } from "./ConversationRecord.ts"
import { recordTimestamp } from "./Pace.ts"

/** A conversation and what works in it. */
export interface Entry {
  readonly conversation: Conversation.Conversation
  readonly loop: AgentLoop.AgentLoop
  /** Set while it is being deleted. */
  deletion: Promise<void> | undefined
}

export interface Conversations {
  readonly get: (id: string) => Entry | undefined
  readonly all: () => ReadonlyArray<Entry>
  readonly create: (base: BaseState) => Promise<Entry>
  readonly fork: (source: Entry, fork: Fork) => Entry
  readonly remove: (entry: Entry) => void
  /** What a clean stop does: sockets are closed, running conversations paused once their tool has ended. */
  readonly stop: () => Promise<void>
  /** What `kill -9` does. */
  readonly kill: () => void
}

/** What a fork may change. */
export interface Fork {
  readonly id: string
  readonly title: string | null
  readonly tags: Readonly<Record<string, string>> | undefined
  readonly resetMetrics: boolean
}

const git = promisify(execFile)

/** Loads what the store has; what was running then is an error now, as the agent-server tells it. */
export const make = (
  environment: Conversation.ConversationEnvironment & AgentLoop.LoopEnvironment,
  initialiseGit: boolean
): Conversations => {
  const entries = new Map<string, Entry>()

  const add = (record: ConversationRecord): Entry => {
    const conversation = Conversation.make(environment, record)
    const entry = { conversation, loop: AgentLoop.make(conversation, environment), deletion: undefined }
    entries.set(conversation.id, entry)
    return entry
  }

  for (const record of environment.store.load()) recover(add(record))

  return {
    get: (id) => entries.get(id),
    all: () => [...entries.values()],
    create: async (base) => {
      const entry = add({ base, events: [] })
      entry.conversation.save()
      await mkdir(base.workingDir, { recursive: true })
      if (initialiseGit && !existsSync(join(base.workingDir, ".git"))) {
        await git("git", ["init", "--quiet"], { cwd: base.workingDir }).catch(() => undefined)
      }
      return entry
    },
    fork: (source, fork) => {
      const { base, events } = source.conversation.record
      const now = recordTimestamp(environment.pace.now())
      const entry = add({
        base: {
          ...structuredClone({ ...base, turn: null }),
          id: fork.id,
          title: fork.title ?? base.title,
          tags: fork.tags ?? base.tags,
          metrics: fork.resetMetrics ? {} : structuredClone(base.metrics),
          forkedFrom: base.id,
          status: "idle",
          createdAt: now,
          updatedAt: now
        },
        events: []
      })
      entry.conversation.save()
      for (const event of events) entry.conversation.keep({ ...event, id: randomUUID() })
      return entry
    },
    remove: (entry) => {
      entry.loop.kill()
      entries.delete(entry.conversation.id)
      environment.store.remove(entry.conversation.id)
    },
    stop: async () => {
      for (const { conversation } of entries.values()) {
        for (const subscriber of conversation.subscribers) subscriber.close(1012, "")
      }
      await Promise.all([...entries.values()].map(({ loop }) => loop.stop()))
      for (const { conversation } of entries.values()) conversation.detach()
    },
    kill: () => {
      for (const { loop, conversation } of entries.values()) {
        for (const subscriber of conversation.subscribers) subscriber.cut()
        loop.kill()
      }
    }
  }
}

const RESTARTED =
  "A restart occurred while this tool was in progress. This may indicate a fatal memory error or system crash. " +
  "The tool execution was interrupted and did not complete."

const recover = ({ conversation }: Entry): void => {
  const { base, events } = conversation.record
  if (base.status !== "running") return
  conversation.setStatus("error")
  const open = events.find(
    (event) =>
      event.kind === "ActionEvent" &&
      !events.some((other) => other.kind !== "ActionEvent" && other["tool_call_id"] === event["tool_call_id"])
  )
  if (open === undefined) return
  const call = { tool: String(open["tool_name"]), callId: String(open["tool_call_id"]), responseId: "", arguments: {} }
  conversation.emit(
    AgentEvents.agentError(call, RESTARTED, { kind: "internal", retryable: false, user_action: "none" })
  )
}
