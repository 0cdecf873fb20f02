/**
 * What is there before a simulated world begins: workspaces that an orchestrator left behind which kept no record, or
 * whose records are lost.
 */
import type { Board } from "./Board.ts"
import type { Prng } from "./Prng.ts"
import type { Stage } from "./Stage.ts"
import type { Truth } from "./Truth.ts"
import { workspaceRoot } from "./WorkspaceModel.ts"

export interface InheritanceOptions {
  readonly stage: Stage
  readonly truth: Truth
  readonly board: Board
  readonly random: Prng
}

export const leave = ({ board, random, stage, truth }: InheritanceOptions): void => {
  const { inherited } = stage.profile.workspace
  for (const { id, identifier } of board.items.values()) {
    if (!random.chance(inherited)) continue
    const path = `${workspaceRoot}/${identifier}`
    truth.rooms.set(id, { workspace: { issueId: id, identifier, key: identifier, path }, version: 0 })
  }
}
