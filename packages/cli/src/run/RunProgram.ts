/**
 * `opensymphony run`: the orchestrator on a WORKFLOW.md, until a signal or, with `--until-idle`, until there is
 * nothing left to do. Returns the exit status.
 */
import * as MemoryRunStore from "@opensymphony/core/orchestrator/MemoryRunStore"
import * as Orchestrator from "@opensymphony/core/orchestrator/Orchestrator"
import * as Idle from "@opensymphony/core/scheduler/Idle"
import type { State } from "@opensymphony/core/scheduler/State"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { exposeOwnCommand } from "../OwnCommand.ts"
import * as Logging from "../Logging.ts"
import { namedVariables, redactor } from "../Secrets.ts"
import * as Signals from "../Signals.ts"
import * as WorkflowConfiguration from "../WorkflowConfiguration.ts"
import * as WorkflowFile from "../WorkflowFile.ts"
import * as LiveTable from "./LiveTable.ts"
import * as ObservedRunStore from "./ObservedRunStore.ts"
import * as Summary from "./Summary.ts"

export interface RunOptions {
  /** Path of the workflow as given; relative to the working directory. */
  readonly workflow: string
  readonly untilIdle: boolean
  readonly logFormat: Logging.LogFormat | null
  readonly strict: boolean
}

/** Why it ended. */
type Ending = Data.TaggedEnum<{
  Idle: {}
  Signalled: { readonly signal: Signals.StopSignal }
  /** The tracker refuses: waiting does not help. */
  Refused: { readonly message: string }
}>
const Ending = Data.taggedEnum<Ending>()

const redrawMs = 250
const lookMs = 100
const idleReportMs = 10_000

const toStderr = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const startView = (orchestrator: Orchestrator.OrchestratorService, view: LiveTable.LiveTable) =>
  orchestrator.snapshot.pipe(
    Effect.map(view.show),
    Effect.delay(redrawMs),
    Effect.forever,
    Effect.ensuring(Effect.sync(view.clear)),
    Effect.forkScoped
  )

/** Why waiting for the tracker is pointless: it refuses its credential, or never answered and never will like this. */
const refusal = (state: State, untilIdle: boolean): string | null => {
  const { error } = state.tracker
  if (error === null || error.retryable) return null
  const isAtStart = state.poll.answeredAtWall === null
  const isCredential = error.tag === "TrackerAuthError" || error.tag === "TrackerPermissionDenied"
  return isAtStart || (untilIdle && isCredential) ? error.message : null
}

/** Completes when the tracker refuses. */
const refused = (orchestrator: Orchestrator.OrchestratorService, untilIdle: boolean) =>
  Effect.gen(function* () {
    while (true) {
      const { state } = yield* orchestrator.current
      const message = refusal(state, untilIdle)
      if (message !== null) return Ending.Refused({ message })
      yield* Effect.sleep(lookMs)
    }
  })

/** Says from time to time what an idle exit still waits for. */
const reportWaiting = (orchestrator: Orchestrator.OrchestratorService) =>
  orchestrator.current.pipe(
    Effect.flatMap(({ state, at }) => {
      const lines = Idle.waitingFor(state, at)
      const more = lines.length > 5 ? ` and ${lines.length - 5} more` : ""
      return lines.length === 0
        ? Effect.void
        : Effect.logInfo(`not idle yet, waiting for ${lines.slice(0, 5).join("; ")}${more}`)
    }),
    Effect.delay(idleReportMs),
    Effect.forever,
    Effect.forkScoped
  )

const statusOf = (ending: Ending, rows: ReadonlyArray<Summary.SummaryRow>, untilIdle: boolean): number =>
  Ending.$match(ending, {
    Refused: () => 1,
    Signalled: ({ signal }) => (untilIdle ? Signals.exitStatus[signal] : 0),
    Idle: () => (rows.some((row) => row.phase === "held") ? 1 : 0)
  })

const printSummary = (rows: ReadonlyArray<Summary.SummaryRow>): void => {
  const { stdout } = process
  const lines = stdout.isTTY ? ["", ...Summary.table(rows, stdout.columns)] : Summary.tabSeparated(rows)
  if (lines.length > 0) stdout.write(`${lines.join("\n")}\n`)
}

const orchestrate = Effect.fnUntraced(function* (
  options: RunOptions,
  view: LiveTable.LiveTable | null,
  summary: Summary.SummaryCollector,
  signal: Effect.Effect<Signals.StopSignal>
) {
  const orchestrator = yield* Orchestrator.Orchestrator
  if (view !== null) yield* startView(orchestrator, view)
  if (options.untilIdle) yield* reportWaiting(orchestrator)
  const endings = [
    Effect.map(signal, (name) => Ending.Signalled({ signal: name })),
    refused(orchestrator, options.untilIdle),
    options.untilIdle ? Effect.as(orchestrator.idle, Ending.Idle()) : Effect.never
  ]
  const ending: Ending = yield* Effect.raceAllFirst(endings)
  if (ending._tag === "Signalled") {
    yield* Effect.logInfo(`${ending.signal}: draining; nothing new starts, a second signal leaves at once`)
  }
  if (ending._tag === "Refused") toStderr(`opensymphony: ${ending.message}`)
  yield* orchestrator.drain
  const rows = summary.rows(yield* orchestrator.snapshot)
  return { ending, rows }
})

/** Runs until it ends; the status is what the process should exit with. */
export const run = Effect.fnUntraced(function* (options: RunOptions, environment: Environment) {
  const path = yield* Path.Path
  const { strict } = options
  const file = path.resolve(options.workflow)
  const loaded = yield* WorkflowFile.load(file, { environment, strict })
  for (const warning of loaded.warnings) toStderr(warning)

  const { stderr, stdout } = process
  const format = options.logFormat ?? (stderr.isTTY ? "pretty" : "logfmt")
  const isWatched = stderr.isTTY && stdout.isTTY && format === "pretty"
  const view = isWatched
    ? LiveTable.make({
        columns: () => stderr.columns,
        rows: () => stderr.rows,
        write: (text) => stderr.write(text)
      })
    : null
  const print = view === null ? toStderr : view.print
  const redact = redactor(environment, namedVariables(loaded.workflow))
  const logging = Logging.layer({
    format,
    colors: stderr.isTTY && environment["NO_COLOR"] === undefined,
    redact,
    write: print
  })
  const own = exposeOwnCommand(environment, process.argv[1])
  const configuration = WorkflowConfiguration.layer({ ...loaded, environment: own, strict, print })
  const summary = Summary.collector()
  const store = ObservedRunStore.layer(summary.note).pipe(Layer.provide(MemoryRunStore.layer))
  const orchestrator = Orchestrator.layer.pipe(Layer.provide([configuration, store]))
  const program = Effect.gen(function* () {
    // First in the scope, so that a signal is heard as long as there is anything to end.
    const signal = Deferred.await(yield* Signals.first)
    yield* Effect.logInfo(
      `orchestrating ${file}; workspaces in ${loaded.workflow.workspace.root}${options.untilIdle ? ", until idle" : ""}`
    )
    const started = yield* Effect.raceFirst(Effect.asSome(Layer.build(orchestrator)), Effect.as(signal, Option.none()))
    if (Option.isNone(started)) return { ending: Ending.Signalled({ signal: yield* signal }), rows: [] }
    const result = yield* orchestrate(options, view, summary, signal).pipe(
      Effect.provideService(Orchestrator.Orchestrator, Context.get(started.value, Orchestrator.Orchestrator))
    )
    if (options.untilIdle && result.ending._tag !== "Refused") {
      yield* Effect.logInfo(`workspaces: ${loaded.workflow.workspace.root}`)
    }
    return result
  })
  const { ending, rows } = yield* program.pipe(
    Effect.scoped,
    Effect.provide(logging),
    Effect.mapError((error) => new WorkflowFile.UnusableWorkflow({ message: error.message }))
  )
  if (options.untilIdle && ending._tag !== "Refused") printSummary(rows)
  return statusOf(ending, rows, options.untilIdle)
})
