/**
 * What is checked on the real agent-server: our own suite, and the contract that its fake is held to. Not a part of
 * `npm test`, which has to work without Python; `main.ts` beside this file runs it.
 */
import { defineConfig } from "vitest/config"
import { resolve } from "node:path"

const repository = resolve(import.meta.dirname, "..", "..", "..")
const ssr = { resolve: { conditions: ["opensymphony-src", "module", "node", "import", "default"] } }
/** As everywhere with real processes: CI's machine may be slow once, and the report says so. */
const patience = { testTimeout: 300_000, hookTimeout: 300_000, retry: process.env["CI"] === undefined ? 0 : 1 }

export default defineConfig({
  test: {
    // Each file has a server of its own, which needs a core to start.
    maxWorkers: 2,
    projects: [
      {
        ssr,
        test: {
          name: "live-openhands",
          root: import.meta.dirname,
          include: ["**/*.test.ts"],
          globalSetup: [resolve(repository, "test/system/Bundle.ts")],
          ...patience
        }
      },
      {
        ssr,
        test: {
          name: "adapters-openhands",
          root: resolve(repository, "packages/adapters-openhands"),
          include: ["test/contract/**/*.test.ts", "test/server/RealServer.test.ts"],
          ...patience
        }
      }
    ]
  }
})
