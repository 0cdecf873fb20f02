/** The events that were handed on already, so that a replayed or twice delivered one is not. Bounded: the oldest are forgotten. */

export interface SeenIds {
  /** False when the id was added before. */
  readonly add: (id: string) => boolean
  readonly has: (id: string) => boolean
  readonly size: () => number
}

/**
 * Far more events than are under way at a time. A conversation's duplicates come within a reconnect; its history is
 * read backwards only to the first id that is known.
 */
const defaultCapacity = 4_096

export const make = (capacity = defaultCapacity): SeenIds => {
  // Two generations: when the younger one is full the elder is dropped as a whole.
  let younger = new Set<string>()
  let elder = new Set<string>()
  const has = (id: string): boolean => younger.has(id) || elder.has(id)
  return {
    has,
    add: (id) => {
      if (has(id)) return false
      if (younger.size >= capacity / 2) {
        elder = younger
        younger = new Set()
      }
      younger.add(id)
      return true
    },
    size: () => younger.size + elder.size
  }
}
