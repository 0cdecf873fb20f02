import { describe, it } from "@effect/vitest"
import { runStoreSuite } from "../../src/testing/conformance/RunStoreSuite.ts"
import { memoryRunStore } from "./RunStores.ts"

describe("MemoryRunStore", () => {
  for (const { effect, name } of runStoreSuite(memoryRunStore)) it.live(name, () => effect)
})
