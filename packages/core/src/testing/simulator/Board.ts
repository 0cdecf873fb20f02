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

/** How an issue looked, and all that it was made from. */
interface Portrait {
  readonly issue: Issue
  readonly item: Item
  readonly blockers: ReadonlyArray<Item>
  readonly children: ReadonlyArray<Item>
}

const none: ReadonlyArray<Item> = []

const isSameList = (self: ReadonlyArray<Item>, that: ReadonlyArray<Item>): boolean =>
  self.length === that.length && self.every((item, index) => item === that[index])

const referTo = ({ id, identifier, state }: Item): IssueReference => ({ id, identifier, state, note: null })

const portray = (item: Item, blockers: ReadonlyArray<Item>, children: ReadonlyArray<Item>): Portrait => {
  const { assigneeId, createdAtMs, description, dispatchable, id, identifier, labels, parentId } = item
  const { priority, state, title, updatedAtMs } = item
  const issue = makeIssue({
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
    blockedBy: blockers.map(referTo),
    subIssues: children.map(referTo),
    dispatchable,
    notDispatchableReason: dispatchable ? null : "assigned to somebody else"
  })
  return { issue, item, blockers, children }
}

/** Only what changed since it was last portrayed is portrayed anew. */
const paint = (items: ReadonlyMap<IssueId, Item>, portraits: Map<IssueId, Portrait>): Picture => {
  const families = new Map<IssueId, Array<Item>>()
  for (const item of items.values()) {
    if (item.parentId === null) continue
    const siblings = families.get(item.parentId)
    if (siblings === undefined) families.set(item.parentId, [item])
    else siblings.push(item)
  }
  const picture = new Map<IssueId, Issue>()
  for (const item of items.values()) {
    const blockers = item.blockedBy.length === 0 ? none : item.blockedBy.flatMap((id) => items.get(id) ?? [])
    const children = families.get(item.id) ?? none
    let portrait = portraits.get(item.id)
    const isTrue =
      portrait?.item === item && isSameList(portrait.blockers, blockers) && isSameList(portrait.children, children)
    if (portrait === undefined || !isTrue) {
      portrait = portray(item, blockers, children)
      portraits.set(item.id, portrait)
    }
    picture.set(item.id, portrait.issue)
  }
  return picture
}

/** An empty board. `wallTime` stamps what people write. */
export const make = (wallTime: () => number): Board => {
  const items = new Map<IssueId, Item>()
  let pictures: ReadonlyArray<Picture> = [new Map()]
  const portraits = new Map<IssueId, Portrait>()
  let isStale = false
  let made = 0

  const picture = (changesAgo = 0): Picture => {
    if (isStale) {
      pictures = [paint(items, portraits), ...pictures.slice(0, remembered - 1)]
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
      if (!items.delete(id)) return
      portraits.delete(id)
      isStale = true
    }
  }
}
