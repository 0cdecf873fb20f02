/** What operators and the configuration ask for: policy, pause, hold, release, drain. */
import * as HashMap from "effect/HashMap"
import { Hold } from "../domain/Hold.ts"
import type { IssueId } from "../domain/Ids.ts"
import type { Policy } from "../domain/Policy.ts"
import * as Limits from "./Limits.ts"
import * as Polling from "./Polling.ts"
import * as Settling from "./Settling.ts"
import type { Entry } from "./State.ts"
import * as Step from "./Step.ts"
import * as Stopping from "./Stopping.ts"

/** A new policy: raised limits lift their holds, states and labels are judged anew, and the tracker is asked again. */
export const policyChanged = (step: Step.Step, event: { readonly policy: Policy }): void => {
  const { policy } = event
  Step.patch(step, { policy })
  for (const id of Array.from(HashMap.keys(step.state.issues))) {
    const entry = Step.entryOf(step, id)
    if (entry === undefined) continue
    if (entry.run !== null) {
      Stopping.watchRouting(step, entry)
      continue
    }
    const isLifted = entry.hold !== null && Limits.isLiftedBy(entry.hold, policy)
    Settling.reconcile(step, isLifted ? Settling.liftHold(step, entry, "a raised limit") : entry)
  }
  step.mayStart = true
  Polling.request(step)
}

/**
 * Shows what is wrong with the newest configuration, and closes the gate when nothing may start under it. Only a good
 * one opens that gate again.
 */
export const configurationJudged = (
  step: Step.Step,
  event: { readonly problem: string | null; readonly closesGate: boolean }
): void => {
  Step.patch(step, { configurationProblem: event.problem })
  if (event.closesGate || event.problem === null) Step.patchGates(step, { configuration: event.problem })
}

/** Keeps an issue from starting until an operator releases it; its live run is stopped. */
export const hold = (step: Step.Step, event: { readonly issueId: IssueId; readonly note: string }): void => {
  const entry = Step.entryOf(step, event.issueId)
  if (entry === undefined || entry.hold?._tag === "StopUnconfirmed") return Step.ignore(step)
  const held = Settling.placeHold(step, entry, Hold.Operator({ note: event.note }))
  Stopping.order(step, held, "operator", event.note)
}

/** Lifts any hold, and grants one more allowance of every limit. */
export const release = (step: Step.Step, event: { readonly issueId: IssueId }): void => {
  const entry = Step.entryOf(step, event.issueId)
  if (entry === undefined) return Step.ignore(step)
  const released: Entry = Settling.liftHold(step, entry, "an operator")
  const { counters, usage } = released
  const allowed = Step.update(step, released, {
    counters: { ...counters, failures: 0, continuations: 0, idleContinuations: 0, usageLimits: 0, runs: 0 },
    allowanceBase: usage
  })
  Settling.reconcile(step, allowed)
  step.mayStart = true
}

/** Shuts down: nothing starts any more, and every live run is asked to stop, without a grace. */
export const drain = (step: Step.Step): void => {
  if (step.state.gates.draining !== null) return
  Step.patchGates(step, { draining: step.at.now + step.state.policy.shutdownTimeoutMs })
  for (const id of HashMap.values(step.state.live)) {
    const entry = Step.entryOf(step, id)
    if (entry !== undefined) Stopping.order(step, entry, "shutdown", "")
  }
}

/** The runtime itself says that it can or cannot take work. */
export const runtimeUp = (step: Step.Step): void => {
  Step.patchGates(step, { runtimeDown: null })
}

export const runtimeDown = (step: Step.Step, event: { readonly reason: string }): void => {
  Step.patchGates(step, { runtimeDown: { reason: event.reason, retryAt: null, failures: 0 } })
}
