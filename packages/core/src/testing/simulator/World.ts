/** A simulated world: the parts that answer the scheduler's commands, over one board and one truth. */
import type { Policy } from "../../domain/Policy.ts"
import type { Command } from "../../scheduler/Command.ts"
import type { State } from "../../scheduler/State.ts"
import * as Board from "./Board.ts"
import * as Inheritance from "./Inheritance.ts"
import * as People from "./People.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"
import * as TrackerModel from "./TrackerModel.ts"
import * as Truth from "./Truth.ts"
import * as WorkerModel from "./WorkerModel.ts"
import * as WorkspaceModel from "./WorkspaceModel.ts"

export interface World {
  readonly truth: Truth.Truth
  readonly board: Board.Board
  /** Begins to carry out a command. `WakeAt` is the driver's own. */
  readonly carryOut: (command: Exclude<Command, { _tag: "WakeAt" }>) => void
}

export interface WorldOptions {
  readonly stage: Stage
  readonly random: Prng
  /** What an operator sees. */
  readonly view: () => State
  readonly setPolicy: (policy: Policy) => void
}

export const make = ({ random, setPolicy, stage, view }: WorldOptions): World => {
  const truth = Truth.make()
  const board = Board.make(() => stage.at().wallTime)
  const tracker = TrackerModel.make(stage, truth, board, random.split("tracker"))
  const workspaces = WorkspaceModel.make(stage, truth, random.split("workspaces"))
  const workers = WorkerModel.make(stage, truth, board, random.split("workers"))
  People.start({ stage, truth, board, random: random.split("people"), view, setPolicy })
  Inheritance.leave({ stage, truth, board, random: random.split("inheritance") })

  return {
    truth,
    board,
    carryOut: (command) => {
      switch (command._tag) {
        case "PollCandidates":
          return tracker.poll()
        case "ReadIssues":
          return tracker.read(command.lane, command.ids)
        case "PrepareWorkspace":
          return workspaces.prepare(command)
        case "CancelPreparation":
          return workspaces.cancel(command)
        case "LaunchRun":
          return workers.launch(command)
        case "AnswerTurn":
          return workers.answer(command)
        case "StopRun":
          return workers.stop(command)
        case "FinishRun":
          return workspaces.finish(command)
        case "RemoveWorkspace":
          return workspaces.remove(command)
      }
    }
  }
}
