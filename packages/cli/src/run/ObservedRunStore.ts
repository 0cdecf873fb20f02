/** A run store that shows every record it kept to somebody, in order and without loss. */
import type { JournalRecord } from "@opensymphony/core/domain/Journal"
import { RunStore } from "@opensymphony/core/ports/RunStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export const layer = (note: (record: JournalRecord) => void): Layer.Layer<RunStore, never, RunStore> =>
  Layer.effect(
    RunStore,
    Effect.map(RunStore, (store) => ({
      ...store,
      append: (records) =>
        Effect.tap(store.append(records), () => Effect.sync(() => records.forEach(({ record }) => note(record))))
    }))
  )
