import { defineConfig } from "vitest/config"

const ssr = { resolve: { conditions: ["opensymphony-src", "module", "node", "import", "default"] } }

const suite = (name: string, root: string, include: ReadonlyArray<string>, testTimeout = 30_000) => ({
  ssr,
  test: { name, root, include: [...include], testTimeout, hookTimeout: 60_000 }
})

/** Real processes on CI's shared machine may be slow once; vitest reports what it had to run twice. */
const withProcesses = (project: ReturnType<typeof suite>) => ({
  ...project,
  test: { ...project.test, retry: process.env["CI"] === undefined ? 0 : 1 }
})

/** Its files mostly wait for processes, so more of them run at a time than there are cores; after all others. */
const system = {
  ssr,
  test: {
    ...withProcesses(suite("system", "test/system", ["**/*.test.ts"], 120_000)).test,
    globalSetup: ["Bundle.ts"],
    maxWorkers: 3,
    sequence: { groupOrder: 1 }
  }
}

export default defineConfig({
  test: {
    projects: [
      suite("core", "packages/core", ["test/**/*.test.ts"]),
      withProcesses(suite("adapters-fs", "packages/adapters-fs", ["test/**/*.test.ts"])),
      withProcesses(suite("adapters-command", "packages/adapters-command", ["test/**/*.test.ts"])),
      withProcesses(suite("adapters-linear", "packages/adapters-linear", ["test/**/*.test.ts"])),
      withProcesses(suite("adapters-openhands", "packages/adapters-openhands", ["test/**/*.test.ts"])),
      withProcesses(suite("cli", "packages/cli", ["test/**/*.test.ts"])),
      suite("repository", "test/repository", ["**/*.test.ts"], 240_000),
      system
    ]
  }
})
