import { assert, describe, it } from "@effect/vitest"
import * as ContinuationPrompt from "../../src/session/ContinuationPrompt.ts"
import { issue } from "./World.ts"

const continuation = { issue: { ...issue, state: "In Progress" }, turn: 2, maxTurns: 5 }

describe("ContinuationPrompt", () => {
  it("names the issue, its state and the turn", () => {
    const text = ContinuationPrompt.guidance(continuation)
    assert.include(text, 'ABC-1 is still in the state "In Progress"')
    assert.include(text, "turn 2 of at most 5")
  })

  it("puts the guidance behind the whole prompt", () => {
    assert.strictEqual(
      ContinuationPrompt.complete("the prompt", continuation),
      `the prompt\n\n${ContinuationPrompt.guidance(continuation)}`
    )
  })
})
