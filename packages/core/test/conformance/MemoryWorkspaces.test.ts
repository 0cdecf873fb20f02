import { describe, it } from "@effect/vitest"
import { workspaceSuite } from "../../src/testing/conformance/WorkspaceSuite.ts"
import { memoryWorkspaces } from "./Workspaces.ts"

describe("MemoryWorkspaces", () => {
  for (const { effect, name } of workspaceSuite(memoryWorkspaces)) it.live(name, () => effect)
})
