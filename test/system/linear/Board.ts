// Sixty issues in one project over two teams: chains of blockers, parents with sub-issues, and one with 25 labels.
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { requiredLabel } from "./Fitness.ts"

export const teams = [
  { key: "ENG", name: "Engineering" },
  { key: "OPS", name: "Operations" }
] as const

export const size = 60
const firstCreatedAt = Date.UTC(2026, 4, 1)

/** By number of the issue: the numbers of those that block it. */
const blockers = new Map([
  [10, [1]],
  [11, [10]],
  [12, [11, 2]],
  [20, [3, 4]],
  [30, [20]],
  [31, [5]],
  [40, [31, 6]],
  [50, [40]],
  [51, [12]]
])

/** By number of the issue: the number of its parent. */
const parents = new Map([
  [14, 13],
  [15, 13],
  [16, 13],
  [34, 33],
  [35, 33],
  [45, 44],
  [46, 45],
  [55, 54]
])

const manyLabels = Array.from({ length: 24 }, (_, index) => `area ${String(index + 1).padStart(2, "0")}`)

/** How many turns an issue takes. */
const turnsOf = (number: number): number => (number % 5 === 0 ? 3 : number % 3 === 0 ? 2 : 1)

/** Puts them on the board; gives how many turns each takes, by id. */
export function fill(linear: FakeLinear.FakeLinear): ReadonlyMap<string, number> {
  const ids = new Map<number, string>()
  const idOf = (number: number): string => {
    const id = ids.get(number)
    if (id === undefined) throw new Error(`issue ${number} is not there yet`)
    return id
  }
  for (let number = 1; number <= size; number++) {
    const parent = parents.get(number)
    const { id } = linear.createIssue({
      title: `Task ${number}`,
      description: `What is to be done in task ${number}.`,
      team: number % 3 === 0 ? "OPS" : "ENG",
      project: linear.project.slugId,
      state: number % 5 === 0 ? "In Progress" : "Todo",
      priority: number % 5,
      labels: number === 8 ? [...manyLabels, requiredLabel] : [requiredLabel],
      createdAt: firstCreatedAt + number * 3_600_000,
      blockedBy: (blockers.get(number) ?? []).map(idOf),
      ...(parent === undefined ? {} : { parent: idOf(parent) })
    })
    ids.set(number, id)
  }
  return new Map([...ids].map(([number, id]) => [id, turnsOf(number)]))
}
