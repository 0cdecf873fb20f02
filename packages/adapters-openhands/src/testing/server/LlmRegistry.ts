/**
 * Which models of a conversation are counted. The agent-server registers a model under its usage id and counts those that
 * it registers while somebody listens, which begins when the agent is built: with the first message since the
 * conversation was created or loaded. So a registry is as old as the server's life.
 */
import { asRecord } from "../LocalServer.ts"
import { type BaseState, emptyMetrics } from "./ConversationRecord.ts"

type Llm = Readonly<Record<string, unknown>>

/** A model as it is shown and kept, and the digest of its key. */
export interface Model {
  readonly llm: Llm
  readonly keyDigest: string | null
}

/** What becomes of a model's usage. */
export interface Accounting {
  /** It is in the conversation's figures. */
  readonly counted: boolean
  /** It is told in events: that of the models which were there when the conversation was created or loaded. */
  readonly told: boolean
}

export interface LlmRegistry {
  /** Registers the agent's models, when that was not done yet. */
  readonly build: () => void
  /** Gives the agent a model; one under a usage id that is known replaces that only where the version does so. */
  readonly switchTo: (model: Model, replaces: boolean) => void
  readonly ofAgent: () => Accounting
  readonly ofCondenser: () => Accounting
}

const nothing: Accounting = { counted: false, told: false }

/** The id under which a model's usage is counted. */
export const usageIdOf = (llm: unknown): string => String(asRecord(llm)["usage_id"] ?? "default")

/** Of a conversation that was just created or loaded. */
export const make = (base: BaseState): LlmRegistry => {
  const models = new Map<string, Model & Accounting>()
  let isBuilt = false
  let condenserTold = true
  let ofCondenser = nothing

  /** Counts on from the figures that the id has. */
  const register = (model: Model, accounting: Accounting) => {
    const id = usageIdOf(model.llm)
    models.set(id, { ...model, ...accounting })
    if (isBuilt) base.metrics[id] ??= emptyMetrics(String(model.llm["model"] ?? ""))
  }

  const build = () => {
    if (isBuilt) return
    isBuilt = true
    const llm = asRecord(base.agent["llm"])
    if (!models.has(usageIdOf(llm))) register({ llm, keyDigest: base.keyDigest }, { counted: true, told: true })
    const condenser = condenserOf(base.agent)
    if (condenser === null || models.has(usageIdOf(condenser))) return
    ofCondenser = { counted: true, told: condenserTold }
    register({ llm: condenser, keyDigest: null }, ofCondenser)
  }

  const switchTo = (model: Model, replaces: boolean) => {
    const known = models.get(usageIdOf(model.llm))
    const isKept = known !== undefined && (!replaces || isSame(known, model))
    if (!isKept) register(model, { counted: known?.counted ?? isBuilt, told: false })
    const { llm, keyDigest } = isKept ? known : model
    const condenser = condenserOf(base.agent)
    // A condenser with the agent's model gets a copy of the new one, which only the next building registers.
    if (condenser !== null && configOf(condenser) === configOf(asRecord(base.agent["llm"]))) {
      const copy = { ...llm, usage_id: usageIdOf(condenser) }
      base.agent = { ...base.agent, condenser: { ...asRecord(base.agent["condenser"]), llm: copy } }
      ofCondenser = nothing
      condenserTold = false
    }
    base.agent = { ...base.agent, llm }
    base.keyDigest = keyDigest
  }

  return {
    build,
    switchTo,
    ofAgent: () => models.get(usageIdOf(base.agent["llm"])) ?? nothing,
    ofCondenser: () => ofCondenser
  }
}

const condenserOf = (agent: Llm): Llm | null =>
  agent["condenser"] == null ? null : asRecord(asRecord(agent["condenser"])["llm"])

const isSame = (left: Model, right: Model): boolean =>
  left.keyDigest === right.keyDigest && configOf(left.llm) === configOf(right.llm)

/** A model's configuration as text, without its usage id and key. */
const configOf = (llm: Llm): string =>
  JSON.stringify(
    Object.entries(llm)
      .filter(([field]) => field !== "usage_id" && field !== "api_key")
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
  )
