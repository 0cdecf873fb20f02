import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import { IssueId, RunId, SessionId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { AgentEvent, RuntimeError, RuntimeHealth, TurnResult } from "../../src/ports/AgentRuntime.ts"
import { noTools } from "../../src/ports/AgentTools.ts"
import * as MemoryRuntime from "../../src/testing/MemoryRuntime.ts"

const runId = RunId("run-1")
const issue = Issue.make({ id: IssueId("1"), identifier: "ABC-1", title: "A title", state: "Todo" })
const workspace = { issueId: issue.id, identifier: issue.identifier, key: "ABC-1", path: "/workspaces/ABC-1" }
const completed = TurnResult.Completed({ summary: null })
const forever = () => Effect.never

/** A runtime with one open session. */
const opened = Effect.fnUntraced(function* (agent: MemoryRuntime.Agent, options?: MemoryRuntime.Options) {
  const runtime = yield* MemoryRuntime.make(agent, options)
  const events: Array<AgentEvent> = []
  const pids: Array<number> = []
  const scope = yield* Scope.make()
  const session = yield* runtime.service
    .openSession({
      run: { runId, issue, attempt: 1, workspace },
      resume: null,
      onProcess: (pid) => Effect.sync(() => pids.push(pid)),
      tools: noTools
    })
    .pipe(Scope.provide(scope))
  const turn = session.runTurn({ number: 1, prompt: "do it" }, (event) => Effect.sync(() => events.push(event)))
  return { runtime, session, turn, events, pids, close: Scope.close(scope, Exit.void) }
})

describe("MemoryRuntime", () => {
  it.effect("shows the agent its turn and hands on what it does", () =>
    Effect.gen(function* () {
      const { events, pids, turn } = yield* opened((context) =>
        Effect.gen(function* () {
          yield* context.activity(`${context.prompt} for ${context.issue.identifier}, attempt ${context.attempt}`)
          yield* context.process(4711)
          return completed
        })
      )
      assert.deepStrictEqual(yield* turn, completed)
      assert.deepStrictEqual(events, [AgentEvent.Activity({ kind: "message", summary: "do it for ABC-1, attempt 1" })])
      assert.deepStrictEqual(pids, [4711])
    })
  )

  it.effect("remembers once the agent named a session", () =>
    Effect.gen(function* () {
      const { session, turn } = yield* opened(({ emit }) =>
        Effect.as(emit(AgentEvent.SessionReported({ session: SessionId("s-1") })), completed)
      )
      assert.isFalse(yield* session.remembers)
      yield* turn
      assert.isTrue(yield* session.remembers)
      assert.strictEqual(yield* session.session, SessionId("s-1"))
    })
  )

  it.effect("ends the turn when its stop is confirmed", () =>
    Effect.gen(function* () {
      const { runtime, session, turn } = yield* opened(forever)
      const playing = yield* Effect.forkChild(turn)
      yield* Effect.yieldNow
      assert.strictEqual(yield* session.stop, "confirmed")
      assert.deepStrictEqual(yield* runtime.working, [])
      assert.strictEqual((yield* Fiber.join(playing))._tag, "Failed")
    })
  )

  it.effect("lets the turn go on when its stop is not confirmed", () =>
    Effect.gen(function* () {
      const { runtime, session, turn } = yield* opened(forever)
      yield* runtime.setStop("unconfirmed")
      yield* Effect.forkChild(turn)
      yield* Effect.yieldNow
      assert.strictEqual(yield* session.stop, "unconfirmed")
      assert.deepStrictEqual(yield* runtime.working, [runId])
    })
  )

  it.effect("stops the agent when the session is closed", () =>
    Effect.gen(function* () {
      const { close, runtime, turn } = yield* opened(forever)
      yield* Effect.forkChild(turn)
      yield* Effect.yieldNow
      yield* close
      assert.deepStrictEqual(yield* runtime.working, [])
      assert.deepStrictEqual(yield* runtime.open, [])
    })
  )

  it.effect("fails to open sessions as scripted", () =>
    Effect.gen(function* () {
      const runtime = yield* MemoryRuntime.make(forever)
      const error = new RuntimeError({ message: "down", unavailable: true })
      yield* runtime.script.add({ operation: "openSession", behaviour: { _tag: "Fail", error } })
      const run = { runId, issue, attempt: null, workspace }
      const opening = runtime.service.openSession({ run, resume: null, onProcess: () => Effect.void, tools: noTools })
      assert.strictEqual(yield* Effect.flip(opening), error)
    })
  )

  it.effect("tells of its health", () =>
    Effect.gen(function* () {
      const runtime = yield* MemoryRuntime.make(forever)
      const first = yield* Effect.forkChild(Stream.runCollect(Stream.take(runtime.service.health, 1)))
      yield* Effect.yieldNow
      yield* runtime.setHealth(RuntimeHealth.Down({ reason: "restarting" }))
      assert.deepStrictEqual(yield* Fiber.join(first), [RuntimeHealth.Down({ reason: "restarting" })])
    })
  )
})
