/** The in-memory runtime as a subject of its conformance suite. */
import { Effect } from "effect"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import type { PreparedRun } from "../../src/domain/Run.ts"
import { RuntimeError } from "../../src/ports/AgentRuntime.ts"
import type { RuntimeSubject } from "../../src/testing/conformance/RuntimeSuite.ts"
import * as MemoryRuntime from "../../src/testing/MemoryRuntime.ts"
import * as PlayedAgent from "./PlayedAgent.ts"

/** The n-th run, of an issue and in a workspace of its own. */
export const numberedRun = (n: number): PreparedRun => {
  const issue = Issue.make({ id: IssueId(`${n}`), identifier: `A-${n}`, title: `About A-${n}`, state: "Todo" })
  const workspace = {
    issueId: issue.id,
    identifier: issue.identifier,
    key: issue.identifier,
    path: `/workspaces/A-${n}`
  }
  return { runId: RunId(`run-${n}`), issue, attempt: null, workspace }
}

const down = new RuntimeError({ message: "the runtime does not answer", unavailable: true })

export const memoryRuntime: RuntimeSubject = {
  make: Effect.fnUntraced(function* (agent, condition) {
    const runtime = yield* MemoryRuntime.make((turn) => PlayedAgent.play(agent, turn))
    if (condition === "unstoppable") yield* runtime.setStop("unconfirmed")
    if (condition === "down") {
      yield* runtime.script.add({ operation: "openSession", behaviour: { _tag: "Fail", error: down } })
    }
    let runs = 0
    return {
      runtime: runtime.service,
      nextRun: Effect.sync(() => numberedRun(++runs)),
      working: (runId) => Effect.map(runtime.working, (working) => working.includes(runId)),
      prompts: (runId) =>
        Effect.map(runtime.turns.calls, (turns) =>
          turns.filter((turn) => turn.runId === runId).map(({ prompt }) => prompt)
        )
    }
  })
}
