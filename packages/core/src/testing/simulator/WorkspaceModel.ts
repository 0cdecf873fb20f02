/**
 * Workspaces in a simulated world, as a backend and its driver answer for them: preparations and removals that take
 * time, fail, hang until their time limit, or go on although they were cancelled. Every command but a lost
 * cancellation is answered once.
 */
import type { IssueId, RunId } from "../../domain/Ids.ts"
import type { Workspace } from "../../domain/Workspace.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"
import { type Body, newBody, type Room, type Truth } from "./Truth.ts"
import * as WorkspaceFaults from "./WorkspaceFaults.ts"

type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { _tag: Tag }>

export interface WorkspaceModel {
  readonly prepare: (command: CommandOf<"PrepareWorkspace">) => void
  readonly cancel: (command: CommandOf<"CancelPreparation">) => void
  readonly finish: (command: CommandOf<"FinishRun">) => void
  readonly remove: (command: CommandOf<"RemoveWorkspace">) => void
}

export const workspaceRoot = "/workspaces"

export const make = (stage: Stage, truth: Truth, random: Prng): WorkspaceModel => {
  const odds = stage.profile.workspace
  const faults = WorkspaceFaults.make(stage, random)
  /** Preparations that are under way and were not cancelled. */
  const preparing = new Map<RunId, { cancelled: boolean; room: Room | null }>()

  const enter = (issueId: IssueId, identifier: string): Room => {
    const found = truth.rooms.get(issueId)
    if (found !== undefined) return found
    const workspace: Workspace = { issueId, identifier, key: identifier, path: `${workspaceRoot}/${identifier}` }
    const room = { workspace, version: 0 }
    truth.rooms.set(issueId, room)
    return room
  }

  const fingerprint = (room: Room): string | null =>
    stage.faulty(random, odds.unknownFingerprint) ? null : `v${room.version}`

  const failed = (body: Body, reason: string, cancelled: boolean, delayMs: number): void => {
    const workspace = cancelled ? null : body.workspace
    stage.send({ _tag: "PreparationFailed", runId: body.runId, workspace, reason, cancelled }, delayMs)
  }

  const prepare = ({ run }: CommandOf<"PrepareWorkspace">): void => {
    const { issue, runId } = run
    const body = newBody(runId, issue.id, issue.identifier)
    truth.begin(body)
    body.owed++
    const task = { cancelled: false, room: null as Room | null }
    preparing.set(runId, task)
    const hangs = stage.faulty(random, odds.hang)
    const fails = faults.preparationFails(issue.id)
    const leavesNothing = fails && random.chance(0.5)
    const { workspaceTimeoutMs } = stage.policy()
    const takes = hangs ? workspaceTimeoutMs : Math.min(random.wait(odds.latencyMs), workspaceTimeoutMs)
    // The directory is there before its preparation has ended, and stays when the process dies meanwhile.
    if (!leavesNothing && random.chance(0.5)) enter(issue.id, issue.identifier)
    stage.planInProcess(takes, () => {
      if (task.cancelled) return
      preparing.delete(runId)
      if (!leavesNothing) {
        const room = enter(issue.id, issue.identifier)
        body.workspace = room.workspace
        task.room = room
      }
      truth.end(body)
      const mailMs = random.int(0, 20)
      if (hangs || fails || task.room === null) {
        failed(body, hangs ? "before_run took too long" : "before_run failed", false, mailMs)
      } else {
        const { workspace } = task.room
        stage.send({ _tag: "WorkspacePrepared", runId, workspace, fingerprint: fingerprint(task.room) }, mailMs)
      }
    })
  }

  const cancel = ({ runId }: CommandOf<"CancelPreparation">): void => {
    const body = truth.bodies.get(runId)
    if (body === undefined) return
    body.owed++
    const task = preparing.get(runId)
    if (task === undefined) return failed(body, "cancelled", true, random.int(1, 20))
    task.cancelled = true
    preparing.delete(runId)
    if (random.chance(0.6)) body.workspace = enter(body.issueId, body.identifier).workspace
    const takes = random.wait(200)
    if (stage.faulty(random, odds.lostCancel)) {
      // The hook does not die when it is told to; perhaps it ends much later, and nobody hears of it.
      const { stopTimeoutMs } = stage.policy()
      stage.planInProcess(stopTimeoutMs, () => {
        body.owed = 0
      })
      if (random.chance(0.5)) stage.plan(stopTimeoutMs + random.wait(600_000), () => truth.end(body))
      return
    }
    stage.planInProcess(takes, () => {
      truth.end(body)
      failed(body, "cancelled", true, random.int(1, 20))
    })
  }

  const finish = ({ run }: CommandOf<"FinishRun">): void => {
    const { runId } = run
    const body = truth.bodies.get(runId)
    if (body !== undefined) body.owed++
    const { workspaceTimeoutMs } = stage.policy()
    const hangs = stage.faulty(random, odds.hang)
    const takes = hangs ? workspaceTimeoutMs : Math.min(random.wait(odds.latencyMs), workspaceTimeoutMs)
    stage.planInProcess(takes, () => {
      const room = truth.rooms.get(run.workspace.issueId)
      const known = hangs || room === undefined ? null : fingerprint(room)
      stage.send({ _tag: "RunClosed", runId, fingerprint: known })
    })
  }

  const remove = ({ issue, workspace }: CommandOf<"RemoveWorkspace">): void => {
    const issueId = issue.id
    truth.removals.add(issueId)
    const takes = Math.min(random.wait(odds.latencyMs), stage.policy().workspaceTimeoutMs)
    stage.planInProcess(takes, () => {
      if (faults.removalFails(issueId)) {
        return stage.send({ _tag: "RemovalFailed", issueId, reason: "the directory cannot be removed" })
      }
      if (stage.faulty(random, odds.dirty)) {
        return stage.send({ _tag: "WorkspaceKept", issueId, reason: "there are commits on no remote" })
      }
      if (truth.rooms.get(issueId)?.workspace.path === workspace.path) truth.rooms.delete(issueId)
      stage.send({ _tag: "WorkspaceRemoved", issueId })
    })
  }

  return { prepare, cancel, finish, remove }
}
