import { describe, it } from "@effect/vitest"
import { trackerSuite } from "../../src/testing/conformance/TrackerSuite.ts"
import { memoryTracker } from "./Trackers.ts"

describe("MemoryTracker", () => {
  for (const { effect, name } of trackerSuite(memoryTracker)) it.live(name, () => effect)
})
