import { describe, it } from "@effect/vitest"
import { workerSuite } from "../../src/testing/conformance/WorkerSuite.ts"
import { memorySessionWorkers, memoryWorkers } from "./Workers.ts"

describe("MemoryWorkers", () => {
  for (const { effect, name } of workerSuite(memoryWorkers)) it.live(name, () => effect)
})

describe("SessionWorkers over MemoryRuntime", () => {
  for (const { effect, name } of workerSuite(memorySessionWorkers)) it.live(name, () => effect)
})
