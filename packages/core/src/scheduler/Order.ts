/**
 * The order of starts: priority 1..4 then none; issues with fewer sub-issues first; oldest first; identifier; id.
 * Kept as a sorted array of keys, so that a start needs no sorting and an unchanged poll no work.
 */
import type { Issue } from "../domain/Issue.ts"
import type { OrderKey } from "./State.ts"

const noPriority = 5

export const keyOf = (issue: Issue): OrderKey => ({
  id: issue.id,
  rank: issue.priority ?? noPriority,
  subIssues: issue.subIssues.length,
  createdAtMs: issue.createdAtMs ?? Number.POSITIVE_INFINITY,
  identifier: issue.identifier
})

const byCodePoint = (self: string, that: string): number => (self < that ? -1 : self > that ? 1 : 0)

/** Total: two keys compare equal only when they are of the same issue. */
export const compare = (self: OrderKey, that: OrderKey): number =>
  self.rank - that.rank ||
  self.subIssues - that.subIssues ||
  (self.createdAtMs === that.createdAtMs ? 0 : self.createdAtMs - that.createdAtMs) ||
  byCodePoint(self.identifier, that.identifier) ||
  byCodePoint(self.id, that.id)

/** Whether an issue that changed keeps its place. */
export const isSameKey = (self: OrderKey, that: OrderKey): boolean => compare(self, that) === 0

const lowerBound = (order: ReadonlyArray<OrderKey>, key: OrderKey): number => {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(order[middle] as OrderKey, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The position of this key, or -1. */
export const indexOf = (order: ReadonlyArray<OrderKey>, key: OrderKey): number => {
  const index = lowerBound(order, key)
  const found = order[index]
  return found !== undefined && compare(found, key) === 0 ? index : -1
}

const insert = (order: ReadonlyArray<OrderKey>, key: OrderKey): ReadonlyArray<OrderKey> =>
  indexOf(order, key) >= 0 ? order : order.toSpliced(lowerBound(order, key), 0, key)

const remove = (order: ReadonlyArray<OrderKey>, key: OrderKey): ReadonlyArray<OrderKey> => {
  const index = indexOf(order, key)
  return index < 0 ? order : order.toSpliced(index, 1)
}

/** Removals and insertions in one pass. Keys that are removed and not there are left out. */
const merge = (
  order: ReadonlyArray<OrderKey>,
  removed: ReadonlyArray<OrderKey>,
  added: ReadonlyArray<OrderKey>
): ReadonlyArray<OrderKey> => {
  const gone = removed.map((key) => indexOf(order, key)).sort((self, that) => self - that)
  const result: Array<OrderKey> = []
  let at = 0
  let nextGone = gone.findLastIndex((index) => index < 0) + 1
  const copyUntil = (end: number) => {
    for (; at < end; at++) {
      if (at === gone[nextGone]) nextGone++
      else result.push(order[at] as OrderKey)
    }
  }
  for (const key of added.toSorted(compare)) {
    copyUntil(lowerBound(order, key))
    result.push(key)
  }
  copyUntil(order.length)
  return result
}

/** From here on one pass over everything is cheaper than moving the array's tail for every key. */
const manyKeys = 8

/** Takes keys out of the order and puts others in. */
export const change = (
  order: ReadonlyArray<OrderKey>,
  removed: ReadonlyArray<OrderKey>,
  added: ReadonlyArray<OrderKey>
): ReadonlyArray<OrderKey> =>
  removed.length + added.length >= manyKeys
    ? merge(order, removed, added)
    : added.reduce(insert, removed.reduce(remove, order))
