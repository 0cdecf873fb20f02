import { describe, it } from "@effect/vitest"
import { runtimeSuite } from "../../src/testing/conformance/RuntimeSuite.ts"
import { memoryRuntime } from "./Runtimes.ts"

describe("MemoryRuntime", () => {
  for (const { effect, name } of runtimeSuite(memoryRuntime)) it.live(name, () => effect)
})
