/**
 * The workspaces of a simulated world's orchestrator: {@link MemoryWorkspaces} that take time, fail, hang, or do not let
 * go of a hook that was told to end. What they know of hooks at work goes into the truth.
 */
import * as Effect from "effect/Effect"
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import {
  Cleanup,
  HookFailed,
  type WorkspaceBackendService,
  type WorkspaceError,
  WorkspaceIoError
} from "../../../ports/WorkspaceBackend.ts"
import type * as MemoryWorkspaces from "../../MemoryWorkspaces.ts"
import type { Prng } from "../Prng.ts"
import type { Stage } from "../Stage.ts"
import type { Body, Truth } from "../Truth.ts"
import type { WorkspaceFaults } from "../WorkspaceFaults.ts"

export interface LiveWorkspacesOptions {
  readonly stage: Stage
  readonly truth: Truth
  readonly random: Prng
  readonly faults: WorkspaceFaults
  readonly memory: MemoryWorkspaces.MemoryWorkspaces
  /** The run that an issue's workspace is being prepared for. */
  readonly runOf: (issueId: IssueId) => RunId | undefined
  /** Lets a process of a run begin. */
  readonly begin: (body: Body) => void
  readonly pulse: Effect.Effect<void>
}

/** Of the failures, those that are a bug of the adapter. */
const defects = 0.1

/** How long a hook that does not obey may go on. */
export const longestGrip = 1_200_000

const hookFailed = (hook: HookFailed["hook"]): HookFailed =>
  new HookFailed({ hook, exitCode: 1, outputTail: "", message: `${hook} failed` })

/** The workspaces as one process sees them; what stands in `memory` outlives it. */
export const make = (options: LiveWorkspacesOptions): WorkspaceBackendService => {
  const { begin, faults, memory, pulse, random, runOf, stage, truth } = options
  const odds = stage.profile.workspace
  const inner = memory.service

  const refuse = <E>(error: E): Effect.Effect<never, E> =>
    random.chance(defects) ? Effect.die(new Error("the disk made no sense")) : Effect.fail(error)

  const touching = <A, E>(effect: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.flatMap(pulse, () => Effect.suspend(effect))

  /** What a method does when it is called; some are so broken that they throw. */
  const calling = <A, E>(effect: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
    if (stage.faulty(random, odds.failure * defects)) throw new Error("the adapter makes no sense")
    return touching(effect)
  }

  /** A hook that is told to end does so soon; or it does not, and perhaps much later. */
  const letGo = Effect.suspend(() => {
    if (!stage.faulty(random, odds.lostCancel)) return Effect.sleep(random.wait(200))
    return Effect.sleep(stage.policy().stopTimeoutMs + random.int(1, longestGrip))
  })

  /** While a hook of this run is at work. */
  const working = <A, E>(issueId: IssueId, work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const runId = runOf(issueId)
      const body = runId === undefined ? undefined : truth.bodies.get(runId)
      if (body === undefined) return work
      return Effect.acquireUseRelease(
        Effect.sync(() => begin(body)),
        () => Effect.onInterrupt(work, () => letGo),
        () => Effect.sync(() => truth.end(body))
      )
    })

  const hook = (name: HookFailed["hook"], takes: number, fails: boolean): Effect.Effect<void, WorkspaceError> =>
    Effect.suspend(() => {
      if (stage.faulty(random, odds.hang)) return Effect.never
      return Effect.andThen(Effect.sleep(takes), fails ? refuse(hookFailed(name)) : Effect.void)
    })

  const unreadable = (path: string) => new WorkspaceIoError({ path, message: `${path} cannot be read` })

  const recorded = <A>(path: string, effect: Effect.Effect<A, WorkspaceError>): Effect.Effect<A, WorkspaceError> =>
    calling(() => (stage.faulty(random, odds.unknownFingerprint) ? refuse(unreadable(path)) : effect))

  return {
    ensureWorkspace: (issue) =>
      calling(() => {
        const fails = faults.preparationFails(issue.id) && random.chance(0.5)
        return working(
          issue.id,
          Effect.andThen(hook("after_create", random.wait(odds.latencyMs / 2), fails), inner.ensureWorkspace(issue))
        )
      }),
    startRun: (run) =>
      calling(() => {
        const fails = faults.preparationFails(run.issue.id)
        return working(
          run.issue.id,
          Effect.andThen(inner.startRun(run), hook("before_run", random.wait(odds.latencyMs / 2), fails))
        )
      }),
    finishRun: (run, outcome) =>
      calling(() =>
        Effect.andThen(
          hook("after_run", random.wait(odds.latencyMs), stage.faulty(random, odds.failure)),
          inner.finishRun(run, outcome)
        )
      ),
    fingerprint: (workspace) => recorded(workspace.path, inner.fingerprint(workspace)),
    readSession: (workspace) => recorded(workspace.path, inner.readSession(workspace)),
    writeSession: (workspace, session) => recorded(workspace.path, inner.writeSession(workspace, session)),
    recordProcess: (workspace, pid) => recorded(workspace.path, inner.recordProcess(workspace, pid)),
    cleanupWorkspace: (workspace, issue) =>
      calling(() =>
        Effect.gen(function* () {
          yield* hook("before_remove", random.wait(odds.latencyMs), false)
          if (faults.removalFails(issue.id)) return yield* refuse(unreadable(workspace.path))
          if (stage.faulty(random, odds.dirty)) return Cleanup.Kept({ reason: "there are commits on no remote" })
          for (const body of truth.aliveOf(issue.id)) {
            const text = `${workspace.path} is removed while ${body.runId} is alive in it`
            truth.accidents.push({ kind: "removed", text, issueId: issue.id })
          }
          return yield* inner.cleanupWorkspace(workspace, issue)
        })
      ),
    recoverWorkspaces: touching(() =>
      Effect.map(inner.recoverWorkspaces, ({ problems, workspaces }) => ({
        problems,
        workspaces: workspaces.filter(() => !stage.faulty(random, stage.profile.process.lostRecord))
      }))
    )
  }
}
