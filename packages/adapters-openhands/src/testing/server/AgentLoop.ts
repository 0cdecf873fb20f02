/**
 * The agent of one conversation: takes user messages, carries out the steps that the rules give them, and comes to rest
 * by itself, by a pause, by an interrupt or by an error. The order of what it emits is that of 1.57.0.
 */
import { setTimeout as soon } from "node:timers/promises"
import * as AgentEvents from "./AgentEvents.ts"
import type { Conversation } from "./Conversation.ts"
import type { Behaviour } from "./Faults.ts"
import { Interrupted, type Pace, unlessAborted } from "./Pace.ts"
import { isStuck } from "./StuckDetector.ts"
import { perform } from "./ToolEffect.ts"
import { DEFAULT_STEPS, type TurnRule, type TurnStep } from "./TurnScript.ts"
import { asRecord } from "../LocalServer.ts"

/** What the loop asks the server. */
export interface LoopEnvironment {
  readonly pace: Pace
  /** The script for a message; `undefined` when no rule fits. */
  readonly scriptFor: (conversation: string, text: string) => TurnRule | undefined
  readonly keyAccepted: (digest: string | null) => boolean
  readonly behaves: (conversation: string, behaviour: Behaviour) => boolean
  readonly crash: () => void
  readonly classification: boolean
}

export interface AgentLoop {
  readonly running: () => boolean
  readonly send: (content: ReadonlyArray<unknown>) => Promise<void>
  /** Starts a run in the background; false when one is going on. */
  readonly run: () => boolean
  readonly pause: () => Promise<void>
  readonly interrupt: () => Promise<void>
  readonly respond: (accept: boolean, reason: string) => Promise<void>
  readonly condense: (summary: string) => void
  /** A clean stop of the process: waits for the running tool, pauses, and ends the run. */
  readonly stop: () => Promise<void>
  /** Ends the run without a trace, as the end of the process does. */
  readonly kill: () => void
  /** Resolves when no run is going on. */
  readonly settled: () => Promise<void>
}

/** How long an interrupt waits for the run to end before it answers all the same. */
const INTERRUPT_WAIT_MS = 5000

/** How long a clean stop waits for a tool, which is what a silent terminal command is given. */
const STOP_WAIT_MS = 30_000

type ToolStep = Extract<TurnStep, { type: "tool" }>

interface Pending {
  readonly step: ToolStep
  readonly call: AgentEvents.ToolCall
  readonly actionId: string
}

export const make = (conversation: Conversation, environment: LoopEnvironment): AgentLoop => {
  const { pace } = environment
  const { base } = conversation.record
  let current: { readonly stop: AbortController; readonly done: Promise<void> } | undefined
  let pending: Pending | undefined
  let open: AgentEvents.ToolCall | undefined
  let answers = conversation.record.events.filter(({ kind }) => kind === "ActionEvent").length
  /** Ends with the process: what its tools run ends too. */
  const life = new AbortController()

  const answered = (step: Extract<TurnStep, { usage?: unknown }> | { readonly type: string }) => {
    const responseId = `chatcmpl-${++answers}`
    conversation.addUsage("usage" in step ? step.usage : undefined, responseId)
    return responseId
  }

  const callOf = (tool: string, args: Readonly<Record<string, unknown>>, responseId: string): AgentEvents.ToolCall => ({
    tool,
    callId: `call_${conversation.id.slice(0, 8)}_${answers}`,
    responseId,
    arguments: args
  })

  const ensurePrompt = () => {
    conversation.buildAgent()
    if (conversation.record.events.some(({ kind }) => kind === "SystemPromptEvent")) return
    const tools = Array.isArray(base.agent["tools"]) ? base.agent["tools"] : []
    conversation.emit(
      AgentEvents.systemPrompt([...tools.map((tool) => String(asRecord(tool)["name"])), "finish", "think"])
    )
  }

  /** A new message with a rule of its own takes over; without one it is read and the work goes on. */
  const takeTurn = () => {
    const messageId = base.lastUserMessageId
    if (base.turn !== null && base.turn.messageId === messageId) return base.turn
    const text = textOf(conversation.record.events.find(({ id }) => id === messageId))
    const script = environment.scriptFor(conversation.id, text)
    const unfinished = base.turn !== null && base.turn.position < base.turn.steps.length ? base.turn : null
    base.turn =
      script === undefined && unfinished !== null
        ? { ...unfinished, messageId: messageId ?? "" }
        : {
            messageId: messageId ?? "",
            steps: script?.steps ?? DEFAULT_STEPS,
            repeatLast: script?.repeatLast ?? false,
            position: 0
          }
    return base.turn
  }

  const fail = (code: string, detail: string, classification?: unknown) => {
    conversation.setStatus("error")
    conversation.emit(
      AgentEvents.conversationError(code, detail, environment.classification ? classification : undefined)
    )
  }

  const runTool = (item: Pending, signal: AbortSignal) =>
    conversation.lock.hold(async () => {
      const { step, call, actionId } = item
      open = call
      const deaf = environment.behaves(conversation.id, "deafCommand")
      const effect = perform(step.effect, {
        conversationId: conversation.id,
        workspace: base.workingDir,
        signal: deaf ? life.signal : signal
      })
      const work = Promise.all([effect, pace.wait(step.durationMs ?? 0, signal)])
      const [result] = await unlessAborted(work, signal)
      const output = step.outputBytes === undefined ? (step.output ?? result.output) : "x".repeat(step.outputBytes)
      conversation.emit(
        AgentEvents.observation(call, actionId, {
          output,
          exitCode: result.exitCode,
          isError: step.isError ?? false
        })
      )
      open = undefined
    })

  /** Keeps the rate whatever the waits really take. */
  const chatter = async (count: number, everyMs: number, signal: AbortSignal) => {
    const start = pace.elapsed()
    for (let index = 0; index < count; index++) {
      await pace.wait(start + (index + 1) * everyMs - pace.elapsed(), signal)
      // When it is late, or at no rate at all, the rest of the server still gets its turn.
      if (index % 32 === 0) await soon(0)
      if (signal.aborted) throw new Interrupted()
      conversation.emit(AgentEvents.action(callOf("think", { thought: `thought ${index}` }, "chatcmpl-0")))
    }
  }

  const act = async (step: TurnStep, signal: AbortSignal): Promise<void> => {
    switch (step.type) {
      case "wait":
        return pace.wait(step.ms, signal)
      case "hang":
        return unlessAborted(new Promise<never>(() => undefined), signal)
      case "emit": {
        const draft = { kind: "UnknownEvent", source: "environment", ...step.event } as AgentEvents.EventDraft
        if (step.transient === true) conversation.publish(conversation.stamp(draft))
        else conversation.emit(draft)
        return
      }
      case "chatter":
        return chatter(step.count, step.everyMs, signal)
      case "crash":
        environment.crash()
        throw new Interrupted()
      case "cut":
        for (const subscriber of conversation.subscribers) subscriber.cut()
        return
      case "stuck":
        return conversation.setStatus("stuck")
      case "fail":
        await pace.wait(step.thinkMs ?? 0, signal)
        return fail(step.code, step.detail, step.classification)
      case "overflow":
        return overflow(step.summary)
      default:
        await pace.wait(step.thinkMs ?? 0, signal)
        if (signal.aborted) throw new Interrupted()
        return answer(step, signal)
    }
  }

  const answer = async (
    step: Extract<TurnStep, { type: "tool" | "finish" | "say" | "agentError" }>,
    signal: AbortSignal
  ): Promise<void> => {
    const responseId = answered(step)
    if (step.type === "say") {
      conversation.emit(AgentEvents.message("assistant", step.text))
      return conversation.setStatus("finished")
    }
    if (step.type === "agentError") {
      const call = callOf(step.tool, {}, responseId)
      conversation.emit(AgentEvents.action(call, false))
      conversation.emit(
        AgentEvents.agentError(call, step.error, { kind: "agent_action", retryable: true, user_action: "retry" })
      )
      return
    }
    if (step.type === "finish") {
      const call = callOf("finish", { message: step.message }, responseId)
      const action = conversation.emit(AgentEvents.action(call))
      conversation.emit(AgentEvents.observation(call, action.id, { output: step.message, exitCode: 0, isError: false }))
      return conversation.setStatus("finished")
    }
    const call = callOf(step.tool, step.arguments ?? {}, responseId)
    const action = conversation.emit(AgentEvents.action(call))
    const item = { step, call, actionId: action.id }
    if (step.confirm === true || base.confirmationPolicy["kind"] === "AlwaysConfirm") {
      pending = item
      return conversation.setStatus("waiting_for_confirmation")
    }
    await runTool(item, signal)
  }

  const condense = (summary: string) => {
    const forgotten = conversation.record.events.slice(2, -1).map(({ id }) => id)
    conversation.emit(AgentEvents.condensationRequest)
    const responseId = `chatcmpl-${++answers}`
    conversation.addCondenserUsage(CONDENSER_USAGE, responseId)
    conversation.emit(AgentEvents.condensation(forgotten, summary, responseId))
  }

  const overflow = (summary: string | undefined) => {
    if (base.agent["condenser"] !== null && base.agent["condenser"] !== undefined)
      return condense(summary ?? "Summary.")
    fail("LLMContextWindowExceedError", "The conversation is longer than the model's context.", {
      kind: "agent_action",
      retryable: true,
      user_action: "retry"
    })
  }

  const loop = async (signal: AbortSignal) => {
    // A message that comes while a turn ends moves the status back to idle; nothing else starts a finished one again.
    if (base.status === "finished") return
    ensurePrompt()
    conversation.setStatus("running")
    if (!environment.keyAccepted(base.keyDigest)) {
      return fail("LLMAuthenticationError", "Your LLM API key appears to be invalid or has expired.", {
        kind: "auth",
        retryable: false,
        user_action: "settings"
      })
    }
    for (let iteration = 0; base.status === "running"; iteration++) {
      if (signal.aborted) throw new Interrupted()
      if (iteration >= base.maxIterations) {
        return fail("MaxIterationsReached", `Agent reached maximum iterations limit (${base.maxIterations}).`, {
          kind: "agent_action",
          retryable: false,
          user_action: "none"
        })
      }
      const confirmed = pending
      pending = undefined
      if (confirmed !== undefined) {
        await conversation.step(() => runTool(confirmed, signal))
        continue
      }
      const turn = takeTurn()
      const step = turn.steps[turn.position] ?? (turn.repeatLast ? turn.steps.at(-1) : DEFAULT_STEPS[0])
      turn.position += 1
      conversation.save()
      if (step !== undefined) await conversation.step(() => act(step, signal))
      if (base.status === "running" && base.stuckDetection && isStuck(conversation.record.events)) {
        conversation.setStatus("stuck")
      }
      // Frames and requests get their turn between two steps, however quick the steps are.
      await soon(0)
    }
  }

  const interrupted = () => {
    if (open !== undefined) {
      conversation.emit(
        AgentEvents.agentError(open, "Tool call interrupted before completion. The conversation was paused.")
      )
      open = undefined
    }
    conversation.setStatus("paused")
    conversation.emit(AgentEvents.interrupt)
  }

  const start = () => {
    const stop = new AbortController()
    const done = loop(stop.signal)
      .catch((error: unknown) => {
        if (life.signal.aborted) return
        if (error instanceof Interrupted || stop.signal.aborted) return interrupted()
        fail("RuntimeError", String(error), { kind: "internal", retryable: false, user_action: "none" })
      })
      .then(async () => {
        if (life.signal.aborted) return
        current = undefined
        await conversation.publishFullState()
      })
    current = { stop, done }
  }

  const run = () => {
    if (current !== undefined || environment.behaves(conversation.id, "wedged")) return false
    if (base.status === "running") return false
    if (environment.behaves(conversation.id, "eternal")) {
      conversation.setStatus("running")
      return true
    }
    if (!environment.behaves(conversation.id, "lostRun")) start()
    return true
  }

  const pauseNow = () =>
    conversation.lock.hold(() => {
      if (base.status !== "idle" && base.status !== "running") return
      conversation.setStatus("paused")
      conversation.emit(AgentEvents.pause)
    })

  const kill = () => {
    life.abort()
    current?.stop.abort()
    conversation.detach()
  }

  return {
    running: () => current !== undefined,
    run,
    condense,
    send: (content) =>
      conversation.lock.hold(() => {
        ensurePrompt()
        const event = conversation.stamp(AgentEvents.message("user", content))
        const marker = conversation.stamp(AgentEvents.stateUpdate("last_user_message_id", event.id))
        // The log has the message first, the socket its marker: the two go different ways in the agent-server.
        conversation.publish(marker)
        conversation.publish(event)
        conversation.keep(event)
        conversation.keep(marker)
        base.lastUserMessageId = event.id
        if (base.status === "finished" || base.status === "stuck") conversation.setStatus("idle")
        conversation.save()
      }),
    pause: async () => {
      await pauseNow()
      await conversation.publishFullState()
    },
    interrupt: async () => {
      if (environment.behaves(conversation.id, "eternal")) return pace.wait(INTERRUPT_WAIT_MS)
      if (current === undefined) {
        if (base.status === "idle") {
          conversation.setStatus("paused")
          conversation.emit(AgentEvents.pause)
        }
        return conversation.publishFullState()
      }
      if (environment.behaves(conversation.id, "lostStop")) return pace.wait(INTERRUPT_WAIT_MS)
      const { stop, done } = current
      stop.abort()
      await Promise.race([done, pace.wait(INTERRUPT_WAIT_MS)])
      void conversation.publishFullState()
    },
    respond: async (accept, reason) => {
      if (accept) return void run()
      if (pending === undefined) return
      conversation.setStatus("idle")
      conversation.emit(AgentEvents.rejected(pending.call, pending.actionId, reason))
      pending = undefined
    },
    stop: async () => {
      if (current === undefined) return
      await Promise.race([pauseNow(), pace.wait(STOP_WAIT_MS)])
      base.status = "paused"
      conversation.store()
      kill()
    },
    kill,
    settled: () => current?.done ?? Promise.resolve()
  }
}

const CONDENSER_USAGE = { prompt: 50, completion: 20, cached: 0 }

const textOf = (event: AgentEvents.StampedEvent | undefined): string => {
  const content = asRecord(event?.["llm_message"])["content"]
  return Array.isArray(content) ? content.map((part: unknown) => String(asRecord(part)["text"] ?? "")).join("\n") : ""
}
