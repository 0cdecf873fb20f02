/** A fake for one test, with the contract's client on it. */
import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FakeAgentServer } from "../../src/testing/index.ts"
import { type Client, make } from "../contract/Client.ts"

export interface Scene {
  readonly fake: FakeAgentServer.FakeAgentServer
  readonly client: Client
  /** A directory of the test's own. */
  readonly root: string
}

/** The client of a fake. */
export const clientOf = (fake: FakeAgentServer.FakeAgentServer, root: string, key = "test-key"): Client =>
  make({
    url: () => fake.url,
    key,
    llm: () => ({ model: "openai/scripted", api_key: "llm-key", usage_id: "agent" }),
    workspace: () => mkdtempSync(join(root, "workspace-")),
    script: () => undefined,
    restart: () => Promise.resolve(),
    close: () => Promise.resolve()
  })

/** Runs a test with a fake that ends with it. */
export const withFake =
  (options: FakeAgentServer.FakeAgentServerOptions, body: (scene: Scene) => Promise<void>) =>
  async (): Promise<void> => {
    const root = mkdtempSync(join(tmpdir(), "fake-"))
    const fake = await FakeAgentServer.start({ apiKeys: ["test-key"], ...options })
    try {
      await body({ fake, client: clientOf(fake, root), root })
    } finally {
      await fake.close()
      await rm(root, { recursive: true, force: true })
    }
  }
