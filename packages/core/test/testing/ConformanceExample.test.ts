import { describe, it } from "@effect/vitest"
import { MemoryRunStore, RunStoreError, type RunStoreService, type StampedRecord } from "@opensymphony/core"
import { runStoreSuite, type RunStoreSubject } from "@opensymphony/core/testing"
import { Effect } from "effect"

interface Table {
  readonly rows: Array<string>
  /** How many writes it will refuse. */
  refusals: number
}

/** The adapter: one row of text per append. */
const tableRunStore = (table: Table): RunStoreService => ({
  load: Effect.gen(function* () {
    const newest = MemoryRunStore.make()
    for (const row of table.rows) yield* newest.append(JSON.parse(row) as ReadonlyArray<StampedRecord>)
    return yield* newest.load
  }),
  append: (records) =>
    Effect.suspend(() =>
      table.refusals-- > 0
        ? Effect.fail(new RunStoreError({ message: "the table refused a row; look at its disk" }))
        : Effect.sync(() => void table.rows.push(JSON.stringify(records)))
    )
})

/** How the suite gets a fresh one, and brings about the situations that it is about. */
const subject: RunStoreSubject = {
  canFail: true,
  make: Effect.sync(() => {
    const table: Table = { rows: [], refusals: 0 }
    return {
      store: tableRunStore(table),
      reopen: Effect.sync(() => tableRunStore(table)),
      breakNextAppend: Effect.sync(() => {
        table.refusals = 1
      })
    }
  })
}

describe("tableRunStore", () => {
  for (const { effect, name } of runStoreSuite(subject)) it.live(name, () => effect)
})
