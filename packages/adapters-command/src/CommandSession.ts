/** A conversation with a command: each turn is one process in the workspace, which reads its prompt from standard input. */
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as ShellProcess from "@opensymphony/adapters-fs/process/ShellProcess"
import type { SessionId } from "@opensymphony/core/domain/Ids"
import { killAfterMs } from "@opensymphony/core/domain/Policy"
import type { AgentEvent, AgentSession, OpenSession, StopResult, Turn } from "@opensymphony/core/ports/AgentRuntime"
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import type { RunTools } from "@opensymphony/core/ports/AgentTools"
import { issueVariables } from "@opensymphony/core/workflow/IssueVariables"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Redacted from "effect/Redacted"
import * as TurnOutput from "./TurnOutput.ts"

export interface CommandOptions {
  /** Shell text (`command.run`); runs one turn. */
  readonly run: string
  /** The environment that is passed through, already filtered; `OPENSYMPHONY_*` is added to it. */
  readonly environment: { readonly [name: string]: string }
  /** Absolute path of the WORKFLOW.md. */
  readonly workflowPath: string
  /** `agent.stop_timeout_ms`: from the order to stop until it counts as unconfirmed. */
  readonly stopTimeoutMs: number
}

/** The pid of the process group at work; completed with null when none was started. */
type Work = Deferred.Deferred<number | null>

/** Where a command finds the tools that this process serves to its run. */
const toolVariables = ({ servers }: RunTools): { readonly [name: string]: string } => {
  const server = servers[0]
  if (server === undefined) return {}
  return { OPENSYMPHONY_MCP_URL: server.url, OPENSYMPHONY_MCP_TOKEN: Redacted.value(server.token) }
}

const variables = (options: CommandOptions, { run, tools }: OpenSession, turn: number, session: SessionId | null) => ({
  ...options.environment,
  ...issueVariables({
    issue: run.issue,
    runId: run.runId,
    attempt: run.attempt,
    workspacePath: run.workspace.path,
    workflowPath: options.workflowPath
  }),
  ...toolVariables(tools),
  OPENSYMPHONY_TURN: String(turn),
  OPENSYMPHONY_SESSION: session ?? ""
})

/** Opens a session; no process runs before its first turn. */
export const make = Effect.fnUntraced(function* (options: CommandOptions, request: OpenSession) {
  const spawner = yield* ChildProcessSpawner
  const probe = yield* ProcessProbe
  let session = request.resume
  let work: Work | null = null

  /** Remembers a group that survived its turn, so that {@link stop} does not call it gone. */
  const rest = (ended: Work) =>
    Effect.gen(function* () {
      yield* Deferred.succeed(ended, null)
      const pid = yield* Deferred.await(ended)
      const survives = pid !== null && (yield* probe.groupAlive(pid))
      if (!survives && work === ended) work = null
    })

  const runTurn = (turn: Turn, onEvent: (event: AgentEvent) => Effect.Effect<void>) =>
    Effect.suspend(() => {
      const current: Work = Deferred.makeUnsafe()
      work = current
      let output = TurnOutput.empty
      const onLine = (stream: ShellProcess.OutputStream, line: string) =>
        Effect.suspend(() => {
          const [next, events] = TurnOutput.accept(output, turn.number, stream, line)
          output = next
          return Effect.forEach(
            events,
            (event) => {
              if (event._tag === "SessionReported") session = event.session
              return onEvent(event)
            },
            { discard: true }
          )
        })
      return ShellProcess.run({
        script: options.run,
        cwd: request.run.workspace.path,
        environment: variables(options, request, turn.number, session),
        stdin: turn.prompt,
        timeoutMs: null,
        killAfterMs: killAfterMs(options.stopTimeoutMs),
        onStart: (pid) => Effect.andThen(Deferred.succeed(current, pid), request.onProcess(pid)),
        onLines: (stream, lines) =>
          Effect.forEach(TurnOutput.selected(stream, lines), (line) => onLine(stream, line), { discard: true })
      }).pipe(
        Effect.map((result) => TurnOutput.result(output, result)),
        Effect.mapError(({ message, problem }) => new RuntimeError({ message, unavailable: problem === "system" })),
        Effect.ensuring(rest(current))
      )
    }).pipe(Effect.provideService(ChildProcessSpawner, spawner), Effect.provideService(ProcessProbe, probe))

  const stop = Effect.suspend((): Effect.Effect<StopResult> => {
    if (work === null) return Effect.succeed("confirmed")
    return Deferred.await(work).pipe(
      Effect.flatMap((pid) =>
        pid === null
          ? Effect.succeed(true)
          : probe.endGroup(pid, {
              killAfterMs: killAfterMs(options.stopTimeoutMs),
              timeoutMs: options.stopTimeoutMs
            })
      ),
      Effect.timeoutOption(options.stopTimeoutMs),
      Effect.map((gone) => (Option.getOrElse(gone, () => false) ? "confirmed" : "unconfirmed"))
    )
  })

  yield* Effect.addFinalizer(() => stop)

  return {
    session: Effect.sync(() => session),
    remembers: Effect.sync(() => session !== null),
    runTurn,
    stop
  } satisfies AgentSession
})
