/** `opensymphony explain`: one look at the tracker, and every decision with its reason. Starts nothing. */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { policyOf } from "@opensymphony/core/workflow/Workflow"
import * as CodePointOrder from "@opensymphony/core/domain/CodePointOrder"
import { nothingStored } from "@opensymphony/core/domain/Journal"
import * as Decision from "@opensymphony/core/scheduler/Decision"
import { decide } from "@opensymphony/core/scheduler/Eligibility"
import { Event } from "@opensymphony/core/scheduler/Event"
import { initial } from "@opensymphony/core/scheduler/State"
import { transition } from "@opensymphony/core/scheduler/Transition"
import { IssueId } from "@opensymphony/core/domain/Ids"
import type { IssueBatch, TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import * as Console from "effect/Console"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HashMap from "effect/HashMap"
import * as Path from "effect/Path"
import * as Adapters from "../Adapters.ts"
import * as WorkflowFile from "../WorkflowFile.ts"

export interface ExplainOptions {
  readonly workflow: string
  readonly issue: string | null
  readonly strict: boolean
}

/** What the scheduler would decide on this answer of the tracker, by identifier: the same code as in a run. */
const decisions = (batch: IssueBatch, policy: ReturnType<typeof policyOf>, wallTime: number) => {
  const at = { now: 0, wallTime }
  const begun = transition(
    initial({ instance: "explain", policy }),
    Event.Started({ stored: nothingStored, workspaces: [] }),
    at
  )
  const polled = transition(begun.state, Event.CandidatesPolled({ batch, startedAt: 0, startedAtWall: wallTime }), at)
  return [...HashMap.values(polled.state.issues)]
    .map((entry) => ({ entry, decision: decide(polled.state, entry, at) }))
    .toSorted((self, that) => CodePointOrder.compare(self.entry.issue.identifier, that.entry.issue.identifier))
}

const words = (decision: Decision.Decision): string =>
  decision._tag === "Dispatched" ? "would start now" : Decision.render(decision)

/** A single argument that is no file is an issue of ./WORKFLOW.md. */
const targetOf = Effect.fnUntraced(function* ({ issue, workflow }: ExplainOptions) {
  const fs = yield* FileSystem.FileSystem
  const isIssue =
    issue === null && !workflow.endsWith(".md") && !(yield* Effect.orElseSucceed(fs.exists(workflow), () => false))
  return isIssue ? { workflow: "WORKFLOW.md", wanted: workflow } : { workflow, wanted: issue }
})

/** The candidates, and the issue that is asked for whatever its state. */
const withIssue = Effect.fnUntraced(function* (tracker: TrackerBackendService, wanted: string) {
  const candidates = yield* tracker.candidateIssues
  const isWanted = ({ identifier }: { readonly identifier: string }) => identifier === wanted
  if (candidates.issues.some(isWanted)) return candidates
  // Not every tracker can be asked for an identifier; its terminal issues are known to all of them.
  const named = yield* Effect.orElseSucceed(
    Effect.map(tracker.issuesByIds([IssueId(wanted)]), ({ issues }) => issues),
    () => []
  )
  const other = named.find(isWanted) ?? (yield* tracker.terminalIssues).issues.find(isWanted)
  return other === undefined ? candidates : { ...candidates, issues: [...candidates.issues, other] }
})

export const explain = Effect.fnUntraced(function* (options: ExplainOptions, environment: Environment) {
  const path = yield* Path.Path
  const target = yield* targetOf(options)
  const { wanted } = target
  const file = path.resolve(target.workflow)
  const { workflow, warnings } = yield* WorkflowFile.load(file, { environment, strict: options.strict })
  for (const warning of warnings) yield* Console.error(warning)
  const batch = yield* Adapters.openTracker(workflow).pipe(
    Effect.flatMap((tracker) => (wanted === null ? tracker.candidateIssues : withIssue(tracker, wanted))),
    Effect.scoped,
    Effect.mapError(({ message }) => new WorkflowFile.UnusableWorkflow({ message }))
  )
  const all = decisions(batch, policyOf(workflow), yield* Clock.currentTimeMillis)
  const shown = wanted === null ? all : all.filter(({ entry }) => entry.issue.identifier === wanted)
  for (const { entry, decision } of shown) {
    yield* Console.log(`${entry.issue.identifier}\t${entry.issue.state}\t${words(decision)}`.replace(/[\r\n]+/g, " "))
  }
  const malformed = batch.malformed.filter((record) => wanted === null || record.identifier === wanted)
  for (const { identifier, message, source } of malformed) {
    yield* Console.log(`${identifier ?? source}\t\tits record cannot be read: ${source}: ${message}`)
  }
  if (wanted === null || shown.length + malformed.length > 0) return
  const message = `there is no issue ${wanted} on the board; check how its identifier is spelled`
  return yield* new WorkflowFile.UnusableWorkflow({ message })
})
