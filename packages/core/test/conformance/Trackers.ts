/** The in-memory tracker as a subject of its conformance suite. */
import { Effect } from "effect"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { TrackerTransportError } from "../../src/ports/TrackerBackend.ts"
import type { IssueDraft, TrackerSubject } from "../../src/testing/conformance/TrackerSuite.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"

const idOf = (identifier: string) => IssueId(`id of ${identifier}`)

const issueOf = ({ blockedBy = [], identifier, ...written }: IssueDraft): Issue.Issue =>
  Issue.make({
    ...written,
    identifier,
    id: idOf(identifier),
    blockedBy: blockedBy.map((identifier) => ({ id: idOf(identifier), identifier, state: null, note: null }))
  })

export const memoryTracker: TrackerSubject = {
  announces: true,
  make: (states) =>
    Effect.map(MemoryTracker.make([], { ...states, announce: true }), (tracker) => ({
      tracker: tracker.service,
      put: (draft) => {
        const issue = issueOf(draft)
        return tracker.setMalformed(issue.id, null).pipe(Effect.andThen(tracker.put(issue)), Effect.as(issue.id))
      },
      move: (identifier, state) => tracker.move(idOf(identifier), state),
      remove: (identifier) => tracker.remove(idOf(identifier)),
      malform: (identifier) => tracker.setMalformed(idOf(identifier), "the title is missing"),
      breakDown: tracker.failWith(new TrackerTransportError({ message: "the tracker cannot be reached" })),
      mend: tracker.failWith(null)
    }))
}
