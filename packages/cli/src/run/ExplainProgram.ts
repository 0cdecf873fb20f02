/** `opensymphony explain`: one look at the tracker, and every decision with its reason. Starts nothing. */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { policyOf, type Workflow } from "@opensymphony/core/workflow/Workflow"
import type { Issue } from "@opensymphony/core/domain/Issue"
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

const nothing: IssueBatch = { issues: [], malformed: [] }

/** The issue that people call `wanted`, in whatever state; nothing when there is none. */
const lookUp = Effect.fnUntraced(function* (workflow: Workflow, tracker: TrackerBackendService, wanted: string) {
  if (workflow.tracker.kind === "linear") {
    const { issueId } = yield* Effect.promise(() => import("../adapters/LinearAdapters.ts"))
    const id = yield* issueId(workflow.tracker, wanted)
    return id === null ? nothing : yield* tracker.issuesByIds([id])
  }
  const isWanted = ({ identifier }: Issue) => identifier === wanted
  const byId = (yield* tracker.issuesByIds([IssueId(wanted)])).issues.filter(isWanted)
  // An id can be another word than the identifier.
  const issues = byId.length > 0 ? byId : (yield* tracker.terminalIssues).issues.filter(isWanted)
  return { ...nothing, issues }
})

/** The candidates, and the issue that is asked for in whatever state, under the name that the tracker has for it. */
const look = Effect.fnUntraced(function* (workflow: Workflow, tracker: TrackerBackendService, wanted: string | null) {
  const candidates = yield* tracker.candidateIssues
  const listed = [...candidates.issues, ...candidates.malformed]
  if (wanted === null || listed.some(({ identifier }) => identifier === wanted)) return { batch: candidates, wanted }
  const found = yield* lookUp(workflow, tracker, wanted)
  const malformed = found.malformed.map((record) => ({ ...record, identifier: record.identifier ?? wanted }))
  const ids = new Set(found.issues.map(({ id }) => id))
  const batch: IssueBatch = {
    issues: [...candidates.issues.filter(({ id }) => !ids.has(id)), ...found.issues],
    malformed: [...candidates.malformed, ...malformed]
  }
  return { batch, wanted: found.issues[0]?.identifier ?? wanted }
})

export const explain = Effect.fnUntraced(function* (options: ExplainOptions, environment: Environment) {
  const path = yield* Path.Path
  const target = yield* targetOf(options)
  const file = path.resolve(target.workflow)
  const { workflow, warnings } = yield* WorkflowFile.load(file, { environment, strict: options.strict })
  for (const warning of warnings) yield* Console.error(warning)
  const { batch, wanted } = yield* Adapters.openTracker(workflow).pipe(
    Effect.flatMap((tracker) => look(workflow, tracker, target.wanted)),
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
  if (shown.length + malformed.length > 0) return
  if (wanted === null) return yield* Console.error(`no issue is in ${workflow.tracker.activeStates.join(", ")}`)
  const message = `there is no issue ${wanted} on the board; check how its identifier is spelled`
  return yield* new WorkflowFile.UnusableWorkflow({ message })
})
