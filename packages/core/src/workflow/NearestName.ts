/** Finds the name that somebody probably meant. */

const maxLength = 64

/** Edits (insert, delete, replace, swap two neighbours) that turn one text into the other. */
const distance = (from: string, to: string): number => {
  let beforeLast: Array<number> = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      const replaced = (last[column - 1] ?? 0) + (same ? 0 : 1)
      const shifted = Math.min(last[column] ?? 0, current[column - 1] ?? 0) + 1
      const swappable = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swapped = swappable ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      current.push(Math.min(replaced, shifted, swapped))
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

/** The known name closest to `name`, or null when none is close enough to be what was meant. */
export const nearestName = (name: string, known: Iterable<string>): string | null => {
  if (name.length > maxLength) return null
  const wanted = name.toLowerCase()
  let nearest: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const edits = distance(wanted, candidate.toLowerCase())
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, candidate.length) / 3))
    if (edits <= allowed && edits < least) {
      nearest = candidate
      least = edits
    }
  }
  return nearest
}
