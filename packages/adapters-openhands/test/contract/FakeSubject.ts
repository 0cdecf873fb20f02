/** The fake agent-server as a subject of the contract. */
import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FakeAgentServer, TurnScript } from "../../src/testing/index.ts"
import type { Subject } from "./Subject.ts"

export const start = async (): Promise<Subject> => {
  const root = mkdtempSync(join(tmpdir(), "fake-agent-server-"))
  const fake = await FakeAgentServer.start({
    apiKeys: ["contract-key"],
    directory: join(root, "conversations"),
    initialiseGit: true
  })
  let workspaces = 0
  return {
    url: () => fake.url,
    key: "contract-key",
    llm: () => ({
      model: "openai/scripted",
      api_key: "test-key",
      usage_id: "agent",
      input_cost_per_token: 1e-6,
      output_cost_per_token: 2e-6
    }),
    workspace: () => join(root, `workspace-${++workspaces}`),
    script: (script) => fake.script(TurnScript.fromModel(script)),
    restart: async (signal) => {
      await (signal === "SIGKILL" ? fake.crash() : fake.stop())
      await fake.restart()
    },
    close: async () => {
      await fake.close()
      await rm(root, { recursive: true, force: true })
    }
  }
}
