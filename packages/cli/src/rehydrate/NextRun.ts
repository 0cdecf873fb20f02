/** What the next run of an issue would open its session with: its issue as the tracker has it now, and its tools. */
import { RunId, SessionId } from "@opensymphony/core/domain/Ids"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import type { OpenSession } from "@opensymphony/core/ports/AgentRuntime"
import { AgentTools, type AgentToolsService } from "@opensymphony/core/ports/AgentTools"
import { TrackerBackend, type TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Adapters from "../Adapters.ts"
import { CommandFailed } from "../debug/CommandFailed.ts"

interface Board {
  readonly tracker: TrackerBackendService
  readonly tools: AgentToolsService
}

type Failure = { readonly message: string }

/** The tracker, and the tools that it has for agents. Nothing is listened on for webhooks: nobody waits for changes. */
const openBoard = Effect.fnUntraced(function* (
  workflow: Workflow
): Effect.fn.Return<Board, Failure, Adapters.Platform | Scope.Scope> {
  const { tracker } = workflow
  if (tracker.kind === "files") {
    return { tracker: yield* Adapters.openTracker(workflow), tools: yield* AgentTools }
  }
  const linear = yield* Effect.promise(() => import("../adapters/LinearAdapters.ts"))
  const context = yield* Layer.build(linear.layer({ ...tracker, webhook: null }, yield* linear.share))
  return { tracker: Context.get(context, TrackerBackend), tools: Context.get(context, AgentTools) }
})

/** No run of the orchestrator's is called so. */
const runId = RunId("rehydrate")

/** Opens the tools of the workspace until the scope closes; whoever calls has the workspace root. */
export const open = Effect.fnUntraced(function* (
  workflow: Workflow,
  workspace: Workspace,
  session: string
): Effect.fn.Return<OpenSession, CommandFailed, Adapters.Platform | Scope.Scope> {
  const { identifier, issueId } = workspace
  const failed = ({ message }: Failure) =>
    new CommandFailed({ message: `what the next run of ${identifier} would be given cannot be found out: ${message}` })
  const { tools, tracker } = yield* Effect.mapError(openBoard(workflow), failed)
  const { issues } = yield* Effect.mapError(tracker.issuesByIds([issueId]), failed)
  const issue = issues.find(({ id }) => id === issueId)
  if (issue === undefined) {
    const message = `${identifier} is gone from the tracker, so no run of it will come; its conversation is left as it is`
    return yield* new CommandFailed({ message })
  }
  const run = { runId, issue, attempt: null, workspace }
  return {
    run,
    resume: SessionId(session),
    onProcess: () => Effect.void,
    tools: yield* Effect.mapError(tools.open(run), failed)
  }
})
