/** The runtime on an OpenHands agent-server, ours or somebody else's. Loaded only for a workflow that names it. */
import type { OpenHandsConfigurationError } from "@opensymphony/adapters-openhands/OpenHandsRuntime"
import * as OpenHandsRuntime from "@opensymphony/adapters-openhands/OpenHandsRuntime"
import * as SharedServers from "@opensymphony/adapters-openhands/server/SharedServers"
import type { AgentRuntime, RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import { join } from "node:path"

export type Share = SharedServers.SharedServers

/** A server outlives a reload of the workflow as long as somebody uses it. */
export const share = SharedServers.make

export interface Options {
  readonly environment: Environment
  readonly redact: (text: string) => string
}

/** The variables that are set. */
export const given = (environment: Environment): { readonly [name: string]: string } =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
  )

/** Where a server of ours keeps its conversations, its log, and what it needs to be found again. */
export const stateDirectoryIn = (root: string): string => join(root, ".opensymphony", "openhands")

/** Lets agents call `opensymphony issue ...` from wherever they are, as command agents can. */
export const withWorkflow = (settings: OpenHandsSettings, path: string): OpenHandsSettings => {
  const { localServer } = settings
  const env = { OPENSYMPHONY_WORKFLOW: { kind: "text", text: path } as const, ...localServer.env }
  return { ...settings, localServer: { ...localServer, env } }
}

export const layer = (
  { agent, path, workspace }: Workflow,
  section: OpenHandsSettings,
  shared: Share,
  { environment, redact }: Options
): Layer.Layer<AgentRuntime, OpenHandsConfigurationError | RuntimeError> => {
  const settings = withWorkflow(section, path)
  const stateDirectory = stateDirectoryIn(workspace.root)
  const server = shared.layer({ settings, environment, stateDirectory, redact })
  return OpenHandsRuntime.layer({
    settings,
    environment: given(environment),
    stopTimeoutMs: agent.stopTimeoutMs,
    redact
  }).pipe(Layer.provide([server, FetchHttpClient.layer]))
}
