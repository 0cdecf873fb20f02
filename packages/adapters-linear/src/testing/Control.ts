/**
 * Everything a test does to the fake beside its API: people's hands on the board, faults, budgets, webhooks, and what the
 * fake has seen. Arguments and results are JSON, so that another process can do all of it over HTTP.
 */
import * as Crypto from "node:crypto"
import { type ApiState, bucketsOf } from "./Api.ts"
import * as BoardControl from "./BoardControl.ts"
import type { ComplexityModel } from "./Complexity.ts"
import type { FaultRule } from "./Faults.ts"
import type { JsonValue } from "./Json.ts"
import * as RateLimits from "./RateLimits.ts"
import type { Counters, LoggedRequest } from "./RequestLog.ts"
import type { Delivery, Subscription, WebhookFaults, Webhooks } from "./Webhooks.ts"

export interface Control extends BoardControl.BoardControl {
  /** From now on; the id is for taking it back. */
  readonly addFault: (rule: FaultRule) => string
  readonly removeFault: (id: string) => void
  readonly clearFaults: () => void
  /** Replaces fields of every answered object with this id (of an issue: any name it has), until it is restored. */
  readonly corrupt: (entity: string, fields: Readonly<Record<string, JsonValue>>) => void
  readonly restore: (entity: string) => void

  /** Another key, of the user with this name; each user has budgets of his own. */
  readonly createApiKey: (user: string) => string
  /** From now on the key is refused. */
  readonly revokeApiKey: (key: string) => void

  /** New budgets, full, for everybody. */
  readonly setBudgets: (budgets: {
    readonly requests?: RateLimits.Budget
    readonly complexity?: RateLimits.Budget
  }) => void
  /** What is left of a budget now, for everybody. */
  readonly setRemaining: (budget: RateLimits.BudgetName, remaining: number) => void
  readonly remaining: () => Readonly<Record<RateLimits.BudgetName, number>>
  /** A limit of one field's own, per user (`commentCreate`, `issues`); null takes it away. */
  readonly setEndpointLimit: (field: string, budget: RateLimits.Budget | null) => void
  readonly setComplexityModel: (model: ComplexityModel) => void

  readonly requests: () => ReadonlyArray<LoggedRequest>
  readonly counters: () => Counters
  readonly clearRequests: () => void
  /** What was asked of the fake that it does not implement; a test that leaves this not empty has tested nothing. */
  readonly unimplemented: () => ReadonlyArray<string>
  /** Ends every connection, as a network that breaks. */
  readonly disconnect: () => void

  readonly subscribe: (subscription: Subscription) => string
  readonly unsubscribe: (id: string) => void
  readonly setWebhookFaults: (faults: WebhookFaults) => void
  readonly deliveries: () => ReadonlyArray<Delivery>
}

export function make(
  state: ApiState,
  people: BoardControl.BoardControl,
  webhooks: Webhooks,
  options: { readonly viewerId: string; readonly disconnect: () => void }
): Control {
  const idOf = (entity: string) => {
    const issue = people.issues().find(({ id, identifier }) => id === entity || identifier === entity)
    return issue?.id ?? entity
  }
  return {
    ...people,
    addFault: (rule) => state.faults.add(rule),
    removeFault: (id) => state.faults.remove(id),
    clearFaults: () => state.faults.clear(),
    corrupt: (entity, fields) => void state.corruptions.set(idOf(entity), fields),
    restore: (entity) => void state.corruptions.delete(idOf(entity)),
    createApiKey: (user) => {
      const found = people.entities("User").find(({ displayName, id }) => displayName === user || id === user)
      if (found === undefined) throw new Error(`the fake Linear has no user "${user}"`)
      const key = `lin_api_fake${Crypto.randomBytes(17).toString("hex")}`
      state.credentials.apiKeys.set(key, found.id)
      return key
    },
    revokeApiKey: (key) => void state.credentials.apiKeys.delete(key),
    setBudgets: (budgets) => {
      state.budgets = { ...state.budgets, ...budgets }
      state.buckets.clear()
    },
    setRemaining: (budget, remaining) => {
      for (const viewerId of new Set([
        ...state.credentials.apiKeys.values(),
        ...state.credentials.accessTokens.values()
      ])) {
        const buckets = bucketsOf(state, viewerId)
        state.buckets.set(viewerId, { ...buckets, [budget]: { ...buckets[budget], level: remaining } })
      }
    },
    remaining: () => {
      const { complexity, requests } = bucketsOf(state, options.viewerId)
      return { requests: Math.floor(requests.level), complexity: Math.floor(complexity.level) }
    },
    setEndpointLimit: (field, budget) => state.endpointLimits.set(field, budget),
    setComplexityModel: (model) => {
      state.complexityModel = model
    },
    requests: () => state.log.requests(),
    counters: () => state.log.counters(),
    clearRequests: () => state.log.clear(),
    unimplemented: () => [...state.unimplemented],
    disconnect: options.disconnect,
    subscribe: webhooks.subscribe,
    unsubscribe: webhooks.unsubscribe,
    setWebhookFaults: webhooks.setFaults,
    deliveries: webhooks.deliveries
  }
}

/** A call by name, as it comes over HTTP. */
export function call(control: Control, method: string, args: ReadonlyArray<unknown>): unknown {
  const own: unknown = Object.hasOwn(control, method) ? Reflect.get(control, method) : undefined
  if (typeof own !== "function") {
    throw new Error(`the fake Linear has no control call "${method}"; it has ${Object.keys(control).sort().join(", ")}`)
  }
  try {
    return Reflect.apply(own, undefined, args)
  } catch (error) {
    throw new Error(BoardControl.reasonOf(error), { cause: error })
  }
}

/** The same calls on a fake in another process. */
export type RemoteControl = {
  readonly [Name in keyof Control]: (...args: Parameters<Control[Name]>) => Promise<ReturnType<Control[Name]>>
}
