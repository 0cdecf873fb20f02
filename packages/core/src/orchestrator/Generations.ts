/**
 * The adapters in use. A new configuration opens a new set for future runs; a set is closed when it is neither current
 * nor needed by a live run.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RunId } from "../domain/Ids.ts"
import type { Backends, Configuration, ConfigurationError } from "./Configuration.ts"

export interface Generation {
  readonly backends: Backends
  readonly adapters: string
}

interface Held extends Generation {
  readonly scope: Scope.Closeable
  readonly runs: Set<RunId>
}

export interface Generations {
  readonly current: () => Generation
  /** The set that a run started with; the current one for a run that is unknown. */
  readonly of: (runId: RunId) => Generation
  /** Opens the adapters of a configuration unless they are the ones in use. */
  readonly use: (configuration: Configuration) => Effect.Effect<void, ConfigurationError>
  /** Binds a run to the current set. */
  readonly bind: (runId: RunId) => Effect.Effect<void>
  readonly unbind: (runId: RunId) => Effect.Effect<void>
}

/** `attach` is run for each set, in the set's scope: it listens to what the adapters have to say. */
export const make = Effect.fnUntraced(function* (
  first: Configuration,
  attach: (backends: Backends) => Effect.Effect<void, never, Scope.Scope>
): Effect.fn.Return<Generations, ConfigurationError, Scope.Scope> {
  const parent = yield* Effect.scope
  const bound = new Map<RunId, Held>()

  const open = Effect.fnUntraced(function* (configuration: Configuration) {
    const scope = yield* Scope.fork(parent)
    const opened = configuration.open.pipe(Effect.tap(attach), Scope.provide(scope))
    const backends = yield* Effect.onExit(opened, (exit) =>
      Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void
    )
    const held: Held = { backends, adapters: configuration.adapters, scope, runs: new Set() }
    return held
  })

  let current = yield* open(first)

  const retire = (held: Held): Effect.Effect<void> =>
    held === current || held.runs.size > 0 ? Effect.void : Scope.close(held.scope, Exit.void)

  return {
    current: () => current,
    of: (runId) => bound.get(runId) ?? current,
    use: Effect.fnUntraced(function* (configuration) {
      if (configuration.adapters === current.adapters) return
      const previous = current
      current = yield* open(configuration)
      yield* retire(previous)
    }),
    bind: (runId) =>
      Effect.sync(() => {
        current.runs.add(runId)
        bound.set(runId, current)
      }),
    unbind: (runId) =>
      Effect.suspend(() => {
        const held = bound.get(runId)
        if (held === undefined) return Effect.void
        bound.delete(runId)
        held.runs.delete(runId)
        return retire(held)
      })
  }
})
