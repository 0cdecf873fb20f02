import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import { type IssueDraft, trackerSuite, type TrackerSubject } from "@opensymphony/core/testing"
import { Effect, FileSystem, type Path } from "effect"
import * as FilesTracker from "../../src/tracker/FilesTracker.ts"
import * as Board from "../tracker/Board.ts"

const fileOf = (identifier: string) => `${identifier}.md`

const textOf = ({ blockedBy, description = "", ...fields }: IssueDraft): string => {
  const lines = Object.entries({ ...fields, ...(blockedBy === undefined ? {} : { blocked_by: blockedBy }) })
  return `---\n${lines.map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join("")}---\n${description}\n`
}

const subject: TrackerSubject<FileSystem.FileSystem | Path.Path> = {
  announces: true,
  make: Effect.fnUntraced(function* (states) {
    const fs = yield* FileSystem.FileSystem
    const board = yield* Board.make
    const tracker = yield* FilesTracker.make({ directory: board.directory, ...states })
    const away = `${board.directory}-away`
    return {
      tracker,
      put: (draft) => Effect.as(board.write(fileOf(draft.identifier), textOf(draft)), IssueId(draft.identifier)),
      move: (identifier, state) =>
        Effect.flatMap(board.read(fileOf(identifier)), (text) =>
          board.write(fileOf(identifier), text.replace(/^state: .*$/m, `state: ${state}`))
        ),
      remove: (identifier) => board.remove(fileOf(identifier)),
      malform: (identifier) => board.write(fileOf(identifier), "---\ntitle: [\n---\n"),
      breakDown: fs.rename(board.directory, away),
      mend: fs.rename(away, board.directory)
    }
  })
}

describe("FilesTracker", () => {
  for (const { effect, name } of trackerSuite(subject)) {
    it.live(name, () => Effect.provide(effect, NodeServices.layer))
  }
})
