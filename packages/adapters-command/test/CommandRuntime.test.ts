import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import { IssueId, RunId, SessionId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import { type AgentEvent, AgentRuntime, type OpenSession, type TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import { noTools } from "@opensymphony/core/ports/AgentTools"
import { Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, realpathSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as CommandRuntime from "../src/CommandRuntime.ts"

const path = process.env["PATH"] ?? "/usr/bin:/bin"
const newDirectory = () => mkdtempSync(join(realpathSync(tmpdir()), "command-runtime-"))

const request = (options: Partial<OpenSession> & { readonly cwd?: string; readonly attempt?: number } = {}) => {
  const issue = Issue.make({ id: IssueId("id-1"), identifier: "ABC-1", title: 'Say "hello"', state: "In Progress" })
  const directory = options.cwd ?? newDirectory()
  return {
    run: {
      runId: RunId("run-1"),
      issue,
      attempt: options.attempt ?? null,
      workspace: { issueId: issue.id, identifier: issue.identifier, key: "ABC-1", path: directory }
    },
    resume: options.resume ?? null,
    onProcess: options.onProcess ?? (() => Effect.void),
    tools: options.tools ?? noTools
  } satisfies OpenSession
}

const platform = NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))

const runtime = (run: string, options: Partial<CommandRuntime.CommandRuntimeOptions> = {}) =>
  CommandRuntime.layer({
    run,
    environment: { PATH: path },
    workflowPath: "/project/WORKFLOW.md",
    stopTimeoutMs: 600,
    ...options
  }).pipe(Layer.provide(platform))

const open = (run: string, session = request(), options: Partial<CommandRuntime.CommandRuntimeOptions> = {}) =>
  Effect.flatMap(AgentRuntime, (agent) => agent.openSession(session)).pipe(Effect.provide(runtime(run, options)))

/** One session with one turn: its result and its events. */
const oneTurn = (run: string, session = request(), prompt = "Do it.") =>
  Effect.gen(function* () {
    const agent = yield* open(run, session)
    const events: Array<AgentEvent> = []
    const result = yield* agent.runTurn({ number: 1, prompt }, (event) => Effect.sync(() => events.push(event)))
    return { agent, result, events }
  })

const failure = (result: TurnResult): string => {
  assert.strictEqual(result._tag, "Failed")
  return result._tag === "Failed" ? result.reason : ""
}

const say = (content: object) => `echo '${JSON.stringify({ opensymphony: content })}'`

describe("a turn", () => {
  it.live("runs the command in the workspace with the prompt on standard input", () =>
    Effect.gen(function* () {
      const cwd = newDirectory()
      const { result } = yield* oneTurn("cat > prompt.txt", request({ cwd }), "Fix – and say so.\n")
      assert.deepStrictEqual(result, { _tag: "Completed", summary: null })
      assert.strictEqual(readFileSync(join(cwd, "prompt.txt"), "utf8"), "Fix – and say so.\n")
    })
  )

  it.live("takes a prompt of more than a megabyte", () =>
    Effect.gen(function* () {
      const cwd = newDirectory()
      const prompt = "0123456789abcdef".repeat(100_000)
      yield* oneTurn("cat > prompt.txt", request({ cwd }), prompt)
      assert.strictEqual(readFileSync(join(cwd, "prompt.txt"), "utf8"), prompt)
    })
  )

  it.live("tells the command where the tools of its run are, and how to get in", () =>
    Effect.gen(function* () {
      const cwd = newDirectory()
      const server = {
        name: "linear",
        url: "http://127.0.0.1:1/mcp",
        token: Redacted.make("of this run"),
        bridge: null
      }
      const tools = { servers: [server], workpad: Effect.succeed(null) }
      yield* oneTurn('echo "$OPENSYMPHONY_MCP_URL $OPENSYMPHONY_MCP_TOKEN" > tools.txt', request({ cwd, tools }))
      assert.strictEqual(readFileSync(join(cwd, "tools.txt"), "utf8"), "http://127.0.0.1:1/mcp of this run\n")
    })
  )

  it.live("completes also when the command does not read its prompt", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn("exit 0", request(), "x".repeat(1_000_000))
      assert.deepStrictEqual(result, { _tag: "Completed", summary: null })
    })
  )

  it.live("gives the command exactly the environment of the contract", () =>
    Effect.gen(function* () {
      const cwd = newDirectory()
      yield* oneTurn("env > environment.txt", request({ cwd, attempt: 2, resume: SessionId("s-7") }))
      const lines = readFileSync(join(cwd, "environment.txt"), "utf8").trim().split("\n")
      assert.deepStrictEqual(lines.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line)).sort(), [
        "OPENSYMPHONY_ATTEMPT=2",
        "OPENSYMPHONY_ISSUE_BRANCH=",
        "OPENSYMPHONY_ISSUE_ID=id-1",
        "OPENSYMPHONY_ISSUE_IDENTIFIER=ABC-1",
        "OPENSYMPHONY_ISSUE_STATE=In Progress",
        'OPENSYMPHONY_ISSUE_TITLE=Say "hello"',
        "OPENSYMPHONY_ISSUE_URL=",
        "OPENSYMPHONY_RUN_ID=run-1",
        "OPENSYMPHONY_SESSION=s-7",
        "OPENSYMPHONY_TURN=1",
        "OPENSYMPHONY_WORKFLOW=/project/WORKFLOW.md",
        `OPENSYMPHONY_WORKSPACE=${cwd}`,
        `PATH=${path}`
      ])
    })
  )

  it.live("has its process recorded before the command does anything", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const onProcess = (pid: number) =>
        Effect.andThen(
          Effect.sleep(50),
          Effect.sync(() => events.push(`recorded ${pid}`))
        )
      const agent = yield* open("echo $$; cat", request({ onProcess }))
      yield* agent.runTurn({ number: 1, prompt: "go\n" }, (event) =>
        Effect.sync(() => events.push(event._tag === "Activity" ? event.summary : event._tag))
      )
      assert.deepStrictEqual(events, [`recorded ${events[1]}`, events[1] ?? "no output", "go"])
    })
  )

  it.live("reports every line of both streams as activity", () =>
    Effect.gen(function* () {
      const { events } = yield* oneTurn("printf 'one\\033[1m\\n\\n'; sleep 0.2; echo two >&2")
      assert.deepStrictEqual(events, [
        { _tag: "Activity", kind: "stdout", summary: "one" },
        { _tag: "Activity", kind: "stdout", summary: "" },
        { _tag: "Activity", kind: "stderr", summary: "two" }
      ])
    })
  )
})

describe("a turn that floods its output", () => {
  const flood = "yes | head -n 100000"

  it.live("becomes no flood of activity", () =>
    Effect.gen(function* () {
      const { events } = yield* oneTurn(flood)
      assert.isBelow(events.length, 20_000)
      assert.deepStrictEqual(events.at(-1), { _tag: "Activity", kind: "stdout", summary: "y" })
    })
  )

  it.live("is still heard when it says something structured", () =>
    Effect.gen(function* () {
      const { events, result } = yield* oneTurn(`${flood}; ${say({ session: "s-1", summary: "heard" })}; ${flood}`)
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "heard" })
      assert.isTrue(events.some((event) => event._tag === "SessionReported"))
    })
  )
})

describe("a turn that fails", () => {
  it.live("gives the exit status and the last lines as the reason", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn("seq 1 20; sleep 0.2; echo broken >&2; exit 3")
      assert.strictEqual(failure(result), "the command exited with status 3: 17\n18\n19\n20\nbroken")
    })
  )

  it.live("bounds the reason", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn("head -c 50000 /dev/zero | tr '\\0' x; echo; echo last; exit 1")
      assert.isBelow(failure(result).length, 1_100)
      assert.isTrue(failure(result).endsWith("x…\nlast"))
    })
  )

  it.live("names the signal that ended it", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn("kill -KILL $$")
      assert.strictEqual(failure(result), "the command was ended by SIGKILL")
    })
  )

  it.live("keeps structured lines out of the reason", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn(`echo oops; ${say({ usage: { input_tokens: 1 } })}; exit 1`)
      assert.strictEqual(failure(result), "the command exited with status 1: oops")
    })
  )

  it.live("because the workspace is gone, says so, and does not blame the runtime", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(oneTurn("true", request({ cwd: "/does/not/exist" })))
      assert.isFalse(error.unavailable)
      assert.include(error.message, "/does/not/exist")
    })
  )

  it.live("because there is no shell, blames the runtime", () =>
    Effect.gen(function* () {
      const agent = yield* open("true", request(), { environment: { PATH: "/does/not/exist" } })
      const error = yield* Effect.flip(agent.runTurn({ number: 1, prompt: "" }, () => Effect.void))
      assert.isTrue(error.unavailable)
    })
  )
})

describe("structured lines", () => {
  it.live("report usage of the turn, and the summary of a completed one", () =>
    Effect.gen(function* () {
      const { events, result } = yield* oneTurn(
        [say({ usage: { input_tokens: 5, cost_usd: 0.25 } }), say({ summary: "first" }), say({ summary: "last" })].join(
          ";"
        )
      )
      assert.deepStrictEqual(events, [
        {
          _tag: "UsageReported",
          source: "turn-1",
          usage: { inputTokens: 5, outputTokens: 0, cacheReadTokens: 0, costUsd: 0.25 }
        },
        { _tag: "Activity", kind: "report", summary: "first" },
        { _tag: "Activity", kind: "report", summary: "last" }
      ])
      assert.deepStrictEqual(result, { _tag: "Completed", summary: "last" })
    })
  )

  it.live("count only on standard output", () =>
    Effect.gen(function* () {
      const { result, events } = yield* oneTurn(`${say({ summary: "no" })} >&2`)
      assert.deepStrictEqual(
        [events.map((event) => event._tag), result],
        [["Activity"], { _tag: "Completed", summary: null }]
      )
    })
  )

  it.live.each([0, 1])("that report a usage limit decide the outcome, with exit status %d", (status) =>
    Effect.gen(function* () {
      const until = "2031-01-01T00:00:00Z"
      const { result } = yield* oneTurn(
        `${say({ usage_limited_until: until, summary: "window closed" })}; exit ${status}`
      )
      assert.deepStrictEqual(result, {
        _tag: "UsageLimited",
        untilMs: Date.parse(until),
        reason: "window closed"
      })
    })
  )

  it.live("that report a limit without a readable date leave its end open", () =>
    Effect.gen(function* () {
      const { result } = yield* oneTurn(say({ usage_limited_until: "soon" }))
      assert.deepStrictEqual(result, {
        _tag: "UsageLimited",
        untilMs: null,
        reason: "the agent reported that its usage limit is reached"
      })
    })
  )
})

describe("the session", () => {
  it.live("that a turn reports is given to the next one and remembered", () =>
    Effect.gen(function* () {
      const agent = yield* open(`${say({ session: "s-$1" })} | sed "s/\\$1/$OPENSYMPHONY_SESSION$OPENSYMPHONY_TURN/"`)
      const sessions: Array<string> = []
      const turn = (number: number) =>
        agent.runTurn({ number, prompt: "" }, (event) =>
          Effect.sync(() => {
            if (event._tag === "SessionReported") sessions.push(event.session)
          })
        )
      assert.deepStrictEqual([yield* agent.session, yield* agent.remembers], [null, false])
      yield* turn(1)
      assert.deepStrictEqual([yield* agent.session, yield* agent.remembers], [SessionId("s-1"), true])
      yield* turn(2)
      assert.deepStrictEqual(sessions, ["s-1", "s-s-12"])
    })
  )

  it.live("that is resumed is known before the first turn", () =>
    Effect.gen(function* () {
      const agent = yield* open("true", request({ resume: SessionId("s-9") }))
      assert.deepStrictEqual([yield* agent.session, yield* agent.remembers], [SessionId("s-9"), true])
    })
  )
})

const alive = (pid: number): boolean => {
  const state = execFileSync("sh", ["-c", `ps -o stat= -p ${pid} || true`], { encoding: "utf8" }).trim()
  return state !== "" && !state.startsWith("Z")
}

/** A turn under way in the background, once it wrote its first line, which is a pid. */
const underWay = (run: string, session = request()) =>
  Effect.gen(function* () {
    const agent = yield* open(run, session)
    const pid = yield* Deferred.make<number>()
    const fiber = yield* Effect.forkChild(
      agent.runTurn({ number: 1, prompt: "" }, (event) =>
        event._tag === "Activity" ? Deferred.succeed(pid, Number(event.summary)) : Effect.void
      )
    )
    return { agent, fiber, pid: yield* Deferred.await(pid) }
  })

const stubborn = "trap '' TERM; sleep 60 & echo $!; while :; do sleep 0.01; done"

describe("stopping", () => {
  it.live("is confirmed at once when nothing runs", () =>
    Effect.gen(function* () {
      const agent = yield* open("true")
      assert.strictEqual(yield* agent.stop, "confirmed")
      yield* agent.runTurn({ number: 1, prompt: "" }, () => Effect.void)
      assert.strictEqual(yield* agent.stop, "confirmed")
    })
  )

  it.live("ends the command and its children, even those that ignore TERM, before it is confirmed", () =>
    Effect.gen(function* () {
      const { agent, fiber, pid } = yield* underWay(stubborn)
      assert.isTrue(alive(pid))
      assert.strictEqual(yield* agent.stop, "confirmed")
      assert.isFalse(alive(pid))
      assert.include(failure(yield* Fiber.join(fiber)), "SIGKILL")
    })
  )

  it.live("waits for a process that is only being started", () =>
    Effect.gen(function* () {
      const agent = yield* open("echo up; exec sleep 60")
      const fiber = yield* Effect.forkChild(
        agent.runTurn({ number: 1, prompt: "" }, () => Effect.void),
        {
          startImmediately: true
        }
      )
      assert.strictEqual(yield* agent.stop, "confirmed")
      assert.include(failure(yield* Fiber.join(fiber)), "SIGTERM")
    })
  )

  it.live("is unconfirmed while the group is there", () =>
    Effect.gen(function* () {
      const immortal = Layer.effect(
        ProcessProbe,
        Effect.map(ProcessProbe, (probe) => ProcessProbe.of({ ...probe, endGroup: () => Effect.succeed(false) }))
      ).pipe(Layer.provideMerge(platform))
      const layer = CommandRuntime.layer({
        run: "echo $$; exec sleep 60",
        environment: { PATH: path },
        workflowPath: "/project/WORKFLOW.md",
        stopTimeoutMs: 100
      }).pipe(Layer.provide(immortal))
      const agent = yield* Effect.flatMap(AgentRuntime, (agent) => agent.openSession(request())).pipe(
        Effect.provide(layer)
      )
      const up = yield* Deferred.make<number>()
      const fiber = yield* Effect.forkChild(
        agent.runTurn({ number: 1, prompt: "" }, (event) =>
          event._tag === "Activity" ? Deferred.succeed(up, Number(event.summary)) : Effect.void
        )
      )
      const pid = yield* Deferred.await(up)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.kill(pid, "SIGKILL")))
      assert.strictEqual(yield* agent.stop, "unconfirmed")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* agent.stop, "unconfirmed")
    })
  )

  it.live("happens when the turn is interrupted", () =>
    Effect.gen(function* () {
      const { fiber, pid } = yield* underWay(stubborn)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(alive(pid))
    })
  )

  it.live("happens when the session is closed", () =>
    Effect.gen(function* () {
      const pid = yield* Effect.scoped(
        Effect.gen(function* () {
          const agent = yield* open("echo $$; exec sleep 60")
          const up = yield* Deferred.make<number>()
          yield* Effect.forkDetach(
            agent.runTurn({ number: 1, prompt: "" }, (event) =>
              event._tag === "Activity" ? Deferred.succeed(up, Number(event.summary)) : Effect.void
            )
          )
          return yield* Deferred.await(up)
        })
      )
      assert.isFalse(alive(pid))
    })
  )
})

describe("a background child that holds the pipe", () => {
  it.live("is ended shortly after the command has exited, and the turn completes", () =>
    Effect.gen(function* () {
      const { events, result } = yield* oneTurn("sleep 60 & echo $!")
      assert.strictEqual(result._tag, "Completed")
      const [event] = events
      assert.isFalse(event?._tag === "Activity" && alive(Number(event.summary)))
    })
  )
})
