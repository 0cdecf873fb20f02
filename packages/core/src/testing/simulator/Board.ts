/** The issues as they really are in the tracker of a simulated world, and how they looked a few changes ago. */
import { IssueId } from "../../domain/Ids.ts"
import { type Issue, type IssueReference, make as makeIssue, type Priority } from "../../domain/Issue.ts"

export interface Item {
  readonly id: IssueId
  readonly identifier: string
  readonly createdAtMs: number
  readonly title: string
  readonly description: string | null
  readonly priority: Priority | null
  readonly state: string
  readonly labels: ReadonlyArray<string>
  readonly assigneeId: string | null
  readonly blockedBy: ReadonlyArray<IssueId>
  readonly parentId: IssueId | null
  readonly dispatchable: boolean
  readonly updatedAtMs: number
}

/** All issues at one moment, as a perfect read would return them. */
export type Picture = ReadonlyMap<IssueId, Issue>

export interface Board {
  readonly items: ReadonlyMap<IssueId, Item>
  readonly add: (fields: Partial<Item>) => Item
  readonly edit: (id: IssueId, fields: Partial<Item>) => void
  readonly remove: (id: IssueId) => void
  /** The picture now, or this many changes ago as far as it is remembered. */
  readonly picture: (changesAgo?: number) => Picture
}

const remembered = 8

const paint = (items: ReadonlyMap<IssueId, Item>): Picture => {
  const children = new Map<IssueId, Array<IssueReference>>()
  const referTo = (item: Item): IssueReference => ({
    id: item.id,
    identifier: item.identifier,
    state: item.state,
    note: null
  })
  for (const item of items.values()) {
    if (item.parentId === null) continue
    const siblings = children.get(item.parentId)
    if (siblings === undefined) children.set(item.parentId, [referTo(item)])
    else siblings.push(referTo(item))
  }
  const picture = new Map<IssueId, Issue>()
  for (const item of items.values()) {
    const blockedBy: Array<IssueReference> = []
    for (const id of item.blockedBy) {
      const blocker = items.get(id)
      if (blocker !== undefined) blockedBy.push(referTo(blocker))
    }
    const { assigneeId, createdAtMs, description, dispatchable, id, identifier, labels, parentId } = item
    const { priority, state, title, updatedAtMs } = item
    const subIssues = children.get(id) ?? []
    const notDispatchableReason = dispatchable ? null : "assigned to somebody else"
    picture.set(
      id,
      makeIssue({
        id,
        identifier,
        title,
        description,
        priority,
        state,
        labels,
        assigneeId,
        parentId,
        createdAtMs,
        updatedAtMs,
        blockedBy,
        subIssues,
        dispatchable,
        notDispatchableReason
      })
    )
  }
  return picture
}

/** An empty board. `wallTime` stamps what people write. */
export const make = (wallTime: () => number): Board => {
  const items = new Map<IssueId, Item>()
  let pictures: ReadonlyArray<Picture> = [new Map()]
  let isStale = false
  let made = 0

  const picture = (changesAgo = 0): Picture => {
    if (isStale) {
      pictures = [paint(items), ...pictures.slice(0, remembered - 1)]
      isStale = false
    }
    return pictures[Math.min(changesAgo, pictures.length - 1)] as Picture
  }
  const store = (item: Item): void => {
    items.set(item.id, item)
    isStale = true
  }
  return {
    items,
    picture,
    add: (fields) => {
      made++
      const item: Item = {
        id: IssueId(`id-${made}`),
        identifier: `SIM-${made}`,
        createdAtMs: wallTime(),
        title: `Issue ${made}`,
        description: null,
        priority: null,
        state: "Todo",
        labels: [],
        assigneeId: null,
        blockedBy: [],
        parentId: null,
        dispatchable: true,
        updatedAtMs: wallTime(),
        ...fields
      }
      store(item)
      return item
    },
    edit: (id, fields) => {
      const item = items.get(id)
      if (item !== undefined) store({ ...item, ...fields, updatedAtMs: wallTime() })
    },
    remove: (id) => {
      if (items.delete(id)) isStale = true
    }
  }
}
