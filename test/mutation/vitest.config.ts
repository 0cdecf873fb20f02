/**
 * The tests that a mutant of the scheduler has to survive: its own, its regressions, and a handful of worlds. Stories
 * come first and worlds last, since a mutant is done with at the first test that fails.
 */
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

const slow = ["Counters", "Totality", "FewWorlds"]

const rank = ({ moduleId }: TestSpecification): number => slow.findIndex((name) => moduleId.includes(`/${name}.test`))

class StoriesFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    return files.toSorted((self, that) => rank(self) - rank(that) || self.moduleId.localeCompare(that.moduleId))
  }
}

export default defineConfig({
  test: {
    include: [
      "packages/core/test/scheduler/**/*.test.ts",
      "packages/core/test/simulator/Regressions.test.ts",
      "test/mutation/*.test.ts"
    ],
    env: { CHAOS_SEEDS: "20" },
    isolate: false,
    maxWorkers: 1,
    sequence: { sequencer: StoriesFirst },
    testTimeout: 60_000
  }
})
