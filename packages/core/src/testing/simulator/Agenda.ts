/** What is going to happen in virtual time: a priority queue; what is due at one instant happens in the order it was planned. */
export interface Agenda {
  readonly plan: (at: number, act: () => void) => void
  /** The instant of the next thing; infinity when nothing is planned. */
  readonly nextAt: () => number
  /** Takes the next thing off; undefined when nothing is planned. */
  readonly take: () => { readonly at: number; readonly act: () => void } | undefined
}

interface Item {
  readonly at: number
  readonly sequence: number
  readonly act: () => void
}

const isBefore = (self: Item, that: Item): boolean =>
  self.at < that.at || (self.at === that.at && self.sequence < that.sequence)

export const make = (): Agenda => {
  const heap: Array<Item> = []
  let sequence = 0

  const up = (item: Item): void => {
    let index = heap.length
    heap.push(item)
    while (index > 0) {
      const parent = (index - 1) >>> 1
      const above = heap[parent] as Item
      if (!isBefore(item, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = item
  }

  const down = (item: Item): void => {
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      const right = child + 1
      if (right < heap.length && isBefore(heap[right] as Item, heap[child] as Item)) child = right
      const below = heap[child] as Item
      if (!isBefore(below, item)) break
      heap[index] = below
      index = child
    }
    heap[index] = item
  }

  return {
    plan: (at, act) => up({ at, sequence: sequence++, act }),
    nextAt: () => heap[0]?.at ?? Number.POSITIVE_INFINITY,
    take: () => {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined) return undefined
      if (first !== last) down(last)
      return first
    }
  }
}
