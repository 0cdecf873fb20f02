/** Logs what was odd about records, once for each: polls come again every half minute. */
import * as Effect from "effect/Effect"
import * as RecentTexts from "../RecentTexts.ts"
import type { IssueRecord } from "./IssueRecord.ts"

const remembered = 1_000

export interface OddityLog {
  readonly note: (records: ReadonlyArray<IssueRecord>) => Effect.Effect<void>
}

/** Remembers the last thousand lines; what is forgotten is logged again. */
export const make = (): OddityLog => {
  const known = RecentTexts.make(remembered)
  return {
    note: (records) =>
      Effect.forEach(
        records.flatMap(({ id, identifier, oddities }) =>
          oddities.map((oddity) => ({ id, identifier, line: `${identifier}: ${oddity}` }))
        ),
        ({ id, identifier, line }) =>
          known.add(line)
            ? Effect.logWarning(line).pipe(Effect.annotateLogs({ issue_id: id, issue_identifier: identifier }))
            : Effect.void,
        { discard: true }
      )
  }
}
