/** Run stores as subjects of their conformance suite. */
import { Effect } from "effect"
import type { IssueProjection, StoredState } from "../../src/domain/Journal.ts"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import { RunStoreError, type RunStoreService, type StampedRecord } from "../../src/ports/RunStore.ts"
import type { RunStoreScene, RunStoreSubject } from "../../src/testing/conformance/RunStoreSuite.ts"

export const memoryRunStore: RunStoreSubject = {
  canFail: false,
  make: Effect.sync(() => {
    const store = MemoryRunStore.make()
    return { store, reopen: Effect.map(store.load, MemoryRunStore.make), breakNextAppend: Effect.void }
  })
}

/** A store as a file would be one: all that is kept is text, and writing it can fail. */
export const textRunStore: RunStoreSubject = {
  canFail: true,
  make: Effect.sync((): RunStoreScene => {
    const lines: Array<string> = []
    let broken = false
    const open = Effect.gen(function* () {
      const store: RunStoreService = MemoryRunStore.make()
      for (const line of lines) yield* store.append(JSON.parse(line) as ReadonlyArray<StampedRecord>)
      return store
    })
    const store: RunStoreService = {
      load: Effect.flatMap(open, ({ load }) => load),
      append: (records) =>
        Effect.suspend(() => {
          if (!broken) return Effect.sync(() => lines.push(JSON.stringify(records)))
          broken = false
          return Effect.fail(new RunStoreError({ message: "the disk is full; make room" }))
        })
    }
    return {
      store,
      reopen: Effect.succeed(store),
      breakNextAppend: Effect.sync(() => {
        broken = true
      })
    }
  })
}

/** What is stored, with every issue changed. */
export const mapIssues =
  (change: (issue: IssueProjection) => IssueProjection) =>
  (stored: StoredState): StoredState => ({ ...stored, issues: stored.issues.map(change) })
