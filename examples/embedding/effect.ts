// An orchestrator inside a program of your own, in Effect: own tracker, own runtime, workspaces on disk. Run it: node effect.ts
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { FilesystemWorkspaces, NodeProcessProbe } from "@opensymphony/adapters-fs"
import {
  AgentEvent,
  AgentRuntime,
  Configuration,
  Issue,
  IssueId,
  MemoryRunStore,
  Orchestrator,
  Policy,
  SessionWorkers,
  TrackerBackend,
  TurnResult
} from "@opensymphony/core"
import { Console, Effect, FileSystem, Layer, Stream } from "effect"

// Your tracker: here two issues in memory.
const board = new Map<IssueId, Issue.Issue>()
const put = (issue: Issue.Issue) => void board.set(issue.id, issue)
put(Issue.make({ id: IssueId("1"), identifier: "CAFE-1", title: "Grind the beans", state: "Todo", priority: 1 }))
put(Issue.make({ id: IssueId("2"), identifier: "CAFE-2", title: "Heat the water", state: "Todo" }))

const batch = (wanted: (issue: Issue.Issue) => boolean) =>
  Effect.sync(() => ({ issues: [...board.values()].filter(wanted), malformed: [] }))

const Tracker = Layer.succeed(TrackerBackend, {
  candidateIssues: batch(({ state }) => state === "Todo"),
  terminalIssues: batch(({ state }) => state === "Done"),
  issuesByIds: (ids) => batch(({ id }) => ids.includes(id)),
  changes: Stream.empty
})

// Your agent: one turn writes a file into its workspace and moves the issue on.
const Runtime = Layer.effect(
  AgentRuntime,
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return {
      kind: "barista",
      health: Stream.empty,
      openSession: ({ run }) =>
        Effect.succeed({
          session: Effect.succeed(null),
          remembers: Effect.succeed(false),
          stop: Effect.succeed("confirmed" as const),
          runTurn: ({ prompt }, onEvent) =>
            Effect.gen(function* () {
              yield* onEvent(AgentEvent.Activity({ kind: "work", summary: "brewing" }))
              yield* Effect.orDie(fs.writeFileString(`${run.workspace.path}/note.txt`, prompt))
              put({ ...run.issue, state: "Done" })
              return TurnResult.Completed({ summary: `followed the prompt: ${prompt}` })
            })
        })
    }
  })
)

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "opensymphony-" })
  const Workspaces = FilesystemWorkspaces.layer({
    root,
    remove: "never",
    hooks: { afterCreate: "git init --quiet", beforeRun: null, afterRun: null, beforeRemove: null, timeoutMs: 10_000 },
    hookEnvironment: { PATH: process.env["PATH"] ?? "" },
    workflowPath: `${root}/WORKFLOW.md`
  })
  const Workers = SessionWorkers.layer({ renderPrompt: (facts) => Effect.succeed(facts.issue.title) })
  const Live = Orchestrator.layer.pipe(
    Layer.provide(Configuration.layer({ ...Policy.defaults, pollIntervalMs: 200, handoffGraceMs: 1_000 })),
    Layer.provide(Workers),
    Layer.provide([Tracker, Runtime, Workspaces, MemoryRunStore.layer])
  )
  yield* Effect.gen(function* () {
    const orchestrator = yield* Orchestrator.Orchestrator
    yield* orchestrator.idle
    yield* orchestrator.drain
  }).pipe(Effect.provide(Live))
  for (const { identifier, state } of board.values()) yield* Console.log(`${identifier}: ${state}`)
  if ([...board.values()].some(({ state }) => state !== "Done")) return yield* Effect.fail("not all done")
})

program.pipe(
  Effect.scoped,
  Effect.provide(NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer))),
  NodeRuntime.runMain
)
