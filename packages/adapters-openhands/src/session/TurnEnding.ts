/** What the end of a run means for its turn, in words that say how to mend what was wrong. */
import { TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import type { Status } from "../client/ConversationInfo.ts"
import * as PlainText from "../client/PlainText.ts"
import type { Failure } from "./TurnWatch.ts"
import * as UsageLimit from "./UsageLimit.ts"

const maxText = 1_024

const overflowText =
  /context[_ ](?:length|window)|maximum context|prompt is too long|too many tokens|token limit|input is too long/i
const quotaText = /quota|usage limit|rate.?limit|too many requests|insufficient (?:balance|credit|funds)|more credits/i

/** Whether the model's context was too small for the conversation. */
export const isOverflow = ({ code, detail }: Failure): boolean =>
  code === "LLMContextWindowExceedError" || (code !== "LLMRateLimitError" && overflowText.test(detail.slice(0, 2_000)))

const isLimit = ({ code, detail, kind }: Failure): boolean =>
  kind === "rate_limit" ||
  kind === "quota" ||
  code === "LLMRateLimitError" ||
  (kind === null && quotaText.test(detail.slice(0, 2_000)))

const section = "openhands.conversation"

const advice = (failure: Failure, { conversation }: OpenHandsSettings): string => {
  const { llm } = conversation.agent
  if (failure.code === "MaxIterationsReached") {
    return `; raise ${section}.max_iterations (${conversation.maxIterations}) when a turn needs more steps`
  }
  if (failure.kind === "auth" || failure.code === "LLMAuthenticationError") {
    return llm.apiKeyEnv === null
      ? `; name the variable that holds the key of ${llm.model} in ${section}.agent.llm.api_key_env`
      : `; put a key that is valid for ${llm.model} into ${llm.apiKeyEnv}`
  }
  if (failure.kind === "config") return `; check ${section}.agent.llm (model ${llm.model})`
  if (isOverflow(failure)) {
    return `; its context could not be made to fit: set ${section}.agent.condenser, or a model with a larger context`
  }
  return ""
}

/** The result of a run that broke for this reason. */
export const ofFailure = (
  failure: Failure,
  settings: OpenHandsSettings,
  redact: (text: string) => string,
  nowMs: number
): TurnResult => {
  const said = PlainText.oneLine(redact(PlainText.beginning(failure.detail, 4 * maxText)), maxText - 300)
  if (isLimit(failure)) {
    return TurnResult.UsageLimited({ untilMs: UsageLimit.until(failure.detail, nowMs), reason: said || failure.code })
  }
  return TurnResult.Failed({ reason: `${failure.code}: ${said}${advice(failure, settings)}` })
}

/** The summary of a turn that completed; null when the agent said nothing. */
export const summary = (reply: string | null, redact: (text: string) => string): string | null => {
  if (reply === null) return null
  return PlainText.oneLine(redact(PlainText.beginning(reply, 4 * maxText)), maxText) || null
}

/** The result of a run that came to rest in this status without an error of its own, and without having finished. */
export const ofStatus = (status: Status): TurnResult => {
  switch (status) {
    case "stuck":
      return TurnResult.Failed({
        reason: "the agent repeated itself without getting on, and the server ended its run as stuck"
      })
    case "paused":
      return TurnResult.Failed({
        reason: "the conversation was paused from outside; the next run goes on with it"
      })
    case "waiting_for_confirmation":
      return TurnResult.Failed({
        reason:
          "the agent waits for somebody to confirm an action, and nobody is asked here; " +
          `set ${section}.confirmation_policy.kind to NeverConfirm`
      })
    case "deleting":
      return TurnResult.Failed({ reason: "the conversation was deleted from outside" })
    default:
      return TurnResult.Failed({ reason: "the run broke, and the server did not say why; look into its log" })
  }
}
