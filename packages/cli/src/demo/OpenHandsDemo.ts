/**
 * `opensymphony demo openhands`: the quickstart by agents of an OpenHands agent-server that is played in this process: its
 * conversations are real, over REST and WebSocket; what its model would decide is the quickstart's agent.
 */
import { FakeAgentServer, TurnScript } from "@opensymphony/adapters-openhands/testing"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { basename, join } from "node:path"
import * as RunProgram from "../run/RunProgram.ts"
import * as Scene from "./Scene.ts"

const keyVariable = "OPENSYMPHONY_DEMO_KEY"

const sections = (server: FakeAgentServer.FakeAgentServer) => ({
  command: null,
  runtime: { kind: "openhands" },
  openhands: {
    transport: { base_url: server.url, session_api_key_env: keyVariable },
    conversation: { agent: { llm: { model: "demo/quickstart-agent" } } }
  }
})

/** Runs one turn of the quickstart's agent as the tool of a conversation; what it printed is what the tool reports. */
const agentTurn = (
  scene: Scene.Scene,
  environment: Environment,
  prompt: string,
  { conversationId, signal, workspace }: TurnScript.ToolContext
): Promise<string> =>
  new Promise((resolve, reject) => {
    const identifier = basename(workspace)
    const issue = scene.issues.find((one: Issue) => one.identifier === identifier)
    const agent = spawn("sh", [join(scene.directory, "agent.sh")], {
      cwd: workspace,
      signal,
      env: {
        ...environment,
        OPENSYMPHONY_ISSUE_IDENTIFIER: identifier,
        OPENSYMPHONY_ISSUE_TITLE: issue?.title ?? identifier,
        OPENSYMPHONY_SESSION: conversationId,
        OPENSYMPHONY_WORKFLOW: scene.workflow,
        OPENSYMPHONY_WORKSPACE: workspace
      }
    })
    const output: Array<Buffer> = []
    for (const stream of [agent.stdout, agent.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk))
    agent.once("error", reject)
    agent.once("close", () => resolve(Buffer.concat(output).toString()))
    agent.stdin.on("error", () => {})
    agent.stdin.end(prompt)
  })

/** Runs the demonstration; the status is what the process should exit with. `say` tells people what they see. */
export const run = Effect.fnUntraced(function* (environment: Environment, say: (line: string) => void) {
  const own = yield* Scene.environmentOfAgents(environment)
  const key = randomBytes(16).toString("hex")
  const server = yield* FakeAgentServer.make({ apiKeys: [key] })
  const scene = yield* Scene.make("openhands", sections(server))
  server.script({
    steps: [
      TurnScript.tool("terminal", (context) => {
        const prompt = server.conversation(context.conversationId)?.messages.at(-1) ?? ""
        return agentTurn(scene, own, prompt, context)
      }),
      TurnScript.finish("did what was asked for in this turn")
    ]
  })
  say(`An agent-server of this demonstration's own listens on ${server.url}; the quickstart's agent is its model.`)
  say(`The workflow is ${scene.workflow}: compare its openhands section with the quickstart's command.`)
  say("")
  const status = yield* RunProgram.run(
    { workflow: scene.workflow, untilIdle: true, logFormat: null, strict: false },
    { ...own, [keyVariable]: key }
  )
  const conversations = server.conversations()
  const events = conversations.reduce((sum, conversation) => sum + conversation.events.length, 0)
  say("")
  say(`There were ${conversations.length} conversations with ${events} events.`)
  say(`The workspaces are in ${scene.directory}/workspaces. Delete ${scene.directory} when you have seen enough.`)
  return status
}, Effect.scoped)
