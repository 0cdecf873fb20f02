/** What Linear posts about a change of an entity: the entity in short, and what its fields were before. */
import * as DateTime from "effect/DateTime"
import * as Board from "./Board.ts"
import type { Entities, EntityName, Issue } from "./Entities.ts"
import type { JsonObject, JsonValue } from "./Json.ts"

/** Those whose changes are announced; relations are not. */
export const announced: ReadonlyArray<EntityName> = ["Issue", "Comment", "Attachment", "IssueLabel", "Project", "User"]

/** Without the timestamp that each delivery sets; null when Linear announces nothing. */
export function payload(board: Board.Board, change: Board.BoardChange, viewerId: string): JsonObject | null {
  const entity = change.after ?? change.before
  if (entity === null || !announced.includes(entity.__typename)) return null
  const before = change.before === null || change.after === null ? null : plain(change.before)
  const data = plain(entity)
  const updatedFrom =
    before === null
      ? {}
      : { updatedFrom: Object.fromEntries(Object.entries(before).filter(([key, value]) => differs(data[key], value))) }
  return {
    action: change.action,
    type: entity.__typename,
    createdAt: instant(board.now()),
    organizationId: board.organization.id,
    actor: { id: viewerId, type: "user", name: Board.get(board, "User", viewerId).name },
    data: entity.__typename === "Issue" ? { ...data, ...partsOf(board, entity) } : data,
    ...updatedFrom
  }
}

const differs = (a: JsonValue | undefined, b: JsonValue): boolean => JSON.stringify(a) !== JSON.stringify(b)

const instant = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

function plain(entity: Entities[EntityName]): JsonObject {
  const { __typename, sequence: _sequence, ...fields } = entity
  const entries = Object.entries(fields).map(([key, value]: [string, unknown]) =>
    key.endsWith("At") && typeof value === "number" ? [key, instant(value)] : [key, value]
  )
  // An upload alone has bytes, and it is not announced.
  return JSON.parse(JSON.stringify(Object.fromEntries(entries))) as JsonObject
}

function partsOf(board: Board.Board, issue: Issue): JsonObject {
  const state = Board.get(board, "WorkflowState", issue.stateId)
  const team = Board.get(board, "Team", issue.teamId)
  const labels = issue.labelIds.flatMap((id) => Board.find(board, "IssueLabel", id) ?? [])
  return {
    identifier: Board.identifier(board, issue),
    state: { id: state.id, name: state.name, type: state.type, color: state.color },
    team: { id: team.id, key: team.key, name: team.name },
    labels: labels.map(({ color, id, name }) => ({ id, name, color })),
    labelIds: issue.labelIds
  }
}
