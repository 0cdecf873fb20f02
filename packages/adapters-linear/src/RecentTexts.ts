/** Remembers texts, the latest so many of them: what runs for months must not grow with time. */

export interface RecentTexts {
  readonly has: (text: string) => boolean
  /** False when it is remembered already. */
  readonly add: (text: string) => boolean
}

/** What is added beyond `capacity` makes the oldest one forgotten. */
export const make = (capacity: number): RecentTexts => {
  const known = new Set<string>()
  return {
    has: (text) => known.has(text),
    add: (text) => {
      if (known.has(text)) return false
      const [oldest] = known
      if (known.size >= capacity && oldest !== undefined) known.delete(oldest)
      known.add(text)
      return true
    }
  }
}
