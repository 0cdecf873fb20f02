/**
 * Circles among issues that wait for each other: blockers, and parents that wait for their sub-issues. Nothing in such
 * a circle can ever start, so each step of it is named.
 */

/** Longer circles are shown by their first and last members. */
const shownMembers = 8

/** The strongly connected component of every member of a circle (Tarjan, without recursion: folders can be large). */
const components = (edges: ReadonlyMap<string, ReadonlyArray<string>>): Map<string, number> => {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const component = new Map<string, number>()
  const stack: Array<string> = []
  const onStack = new Set<string>()
  const low = (node: string): number => lowest.get(node) ?? 0
  for (const root of edges.keys()) {
    if (order.has(root)) continue
    const path: Array<{ readonly node: string; readonly next: Iterator<string> }> = []
    const enter = (node: string) => {
      order.set(node, order.size)
      lowest.set(node, order.size - 1)
      stack.push(node)
      onStack.add(node)
      path.push({ node, next: (edges.get(node) ?? [])[Symbol.iterator]() })
    }
    enter(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value: target } = top.next.next()
      if (done !== true) {
        if (!edges.has(target)) continue
        if (!order.has(target)) enter(target)
        else if (onStack.has(target)) lowest.set(top.node, Math.min(low(top.node), order.get(target) ?? 0))
        continue
      }
      path.pop()
      const parent = path.at(-1)
      if (parent !== undefined) lowest.set(parent.node, Math.min(low(parent.node), low(top.node)))
      if (low(top.node) !== order.get(top.node)) continue
      const members = stack.splice(stack.lastIndexOf(top.node))
      for (const member of members) {
        onStack.delete(member)
        if (members.length > 1) component.set(member, order.get(top.node) ?? 0)
      }
    }
  }
  return component
}

/** The shortest way from `start` to `goal` along `edges` inside one component. */
const shortestWay = (
  edges: ReadonlyMap<string, ReadonlyArray<string>>,
  inside: (node: string) => boolean,
  start: string,
  goal: string
): ReadonlyArray<string> => {
  const cameFrom = new Map<string, string | null>([[start, null]])
  for (const node of cameFrom.keys()) {
    if (node === goal) break
    for (const target of edges.get(node) ?? []) {
      if (inside(target) && !cameFrom.has(target)) cameFrom.set(target, node)
    }
  }
  const way: Array<string> = []
  for (let node: string | null | undefined = goal; node !== null && node !== undefined; node = cameFrom.get(node)) {
    way.unshift(node)
  }
  return way
}

/**
 * Finds the circles in a graph of "waits for". The result tells of one step whether it is part of a circle, as
 * `part of a cycle: A -> B -> A`, else null.
 */
export const find = (
  edges: ReadonlyMap<string, ReadonlyArray<string>>
): ((from: string, to: string) => string | null) => {
  const component = components(edges)
  return (from, to) => {
    const circle = component.get(from)
    if (circle === undefined || component.get(to) !== circle) return null
    const way = [from, ...shortestWay(edges, (node) => component.get(node) === circle, to, from)]
    const shown = way.length > shownMembers ? [...way.slice(0, shownMembers - 2), "...", ...way.slice(-1)] : way
    return `part of a cycle: ${shown.join(" -> ")}`
  }
}
