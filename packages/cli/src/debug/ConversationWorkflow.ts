/** The workflow whose conversations a command is about, and how its server is reached. */
import { lookUp, type Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import type { AccessOptions } from "@opensymphony/adapters-openhands/operator/ServerAccess"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { stateDirectoryIn, withWorkflow } from "../adapters/OpenHandsAdapters.ts"
import { namedVariables, redactor } from "../Secrets.ts"
import * as WorkflowFile from "../WorkflowFile.ts"
import { CommandFailed } from "./CommandFailed.ts"

export interface ConversationWorkflow {
  readonly workflow: Workflow
  /** As the orchestrator uses them. */
  readonly settings: OpenHandsSettings
  readonly access: AccessOptions
  /** Takes every known secret out of a text. */
  readonly redact: (text: string) => string
}

/** How the server of a workflow is reached. */
export const accessOf = (
  { path, workspace: { root } }: Workflow,
  section: OpenHandsSettings,
  { environment, redact }: { readonly environment: Environment; readonly redact: (text: string) => string }
): AccessOptions => ({
  settings: withWorkflow(section, path),
  environment,
  stateDirectory: stateDirectoryIn(root),
  redact,
  root,
  workflowPath: path
})

/** The workflow at `--workflow`, else `$OPENSYMPHONY_WORKFLOW`, else `./WORKFLOW.md`; it must be one of OpenHands. */
export const load = Effect.fnUntraced(function* (
  given: string | null,
  environment: Environment
): Effect.fn.Return<
  ConversationWorkflow,
  CommandFailed | WorkflowFile.UnusableWorkflow,
  FileSystem.FileSystem | Path.Path
> {
  const path = yield* Path.Path
  const file = path.resolve(given ?? lookUp(environment, "OPENSYMPHONY_WORKFLOW") ?? "WORKFLOW.md")
  const { workflow } = yield* WorkflowFile.load(file, { environment, strict: false })
  if (workflow.openhands === null) {
    const message =
      `${file} runs its issues with the runtime ${workflow.runtime.kind}, which has no conversations; ` +
      "name a workflow whose runtime.kind is openhands with --workflow"
    return yield* new CommandFailed({ message })
  }
  const redact = redactor(environment, namedVariables(workflow))
  const access = accessOf(workflow, workflow.openhands, { environment, redact })
  return { workflow, settings: access.settings, access, redact }
})
