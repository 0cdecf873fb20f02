/**
 * What the files of a board mean together: identities that are unique, blockers, sub-issues, and who waits for whom in
 * a circle. Pure: the files as read in, the issues and what could not be read out.
 */
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { IssueBatch, MalformedRecord } from "@opensymphony/core/ports/TrackerBackend"
import * as Result from "effect/Result"
import type { FolderEntry } from "./IssueFolder.ts"
import type { Identity, IssueFile } from "./IssueFile.ts"
import * as WaitCycles from "./WaitCycles.ts"

interface Readable {
  readonly entry: FolderEntry
  readonly file: IssueFile
}

interface Unreadable {
  readonly entry: FolderEntry
  readonly line: number
  readonly message: string
  readonly identity: Identity | null
}

const groupBy = <A>(items: ReadonlyArray<A>, key: (item: A) => string): Map<string, Array<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

/** Files that share an identifier or an id: none of them can be told from the others, so none of them is an issue. */
const withoutDuplicates = (files: ReadonlyArray<Readable>) => {
  const duplicates = new Map<Readable, Unreadable>()
  for (const key of ["identifier", "id"] as const) {
    for (const [value, group] of groupBy(files, ({ file }) => file[key])) {
      if (group.length === 1) continue
      for (const one of group) {
        const others = group.filter((other) => other !== one).map(({ entry }) => entry.name)
        const named =
          others.length > 3 ? `${others.slice(0, 3).join(", ")} and ${others.length - 3} more` : others.join(", ")
        if (duplicates.has(one)) continue
        duplicates.set(one, {
          entry: one.entry,
          line: 1,
          message: `the ${key} ${JSON.stringify(value)} is also that of ${named}; give each file its own ${key}`,
          identity: one.file
        })
      }
    }
  }
  return { unique: files.filter((file) => !duplicates.has(file)), duplicates: [...duplicates.values()] }
}

/** Nothing else can have this id, so that no other issue's state is ever taken for that of the missing one. */
const absentId = (identifier: string): IssueId => IssueId(`absent:${identifier}`)

/**
 * Makes issues of a folder's files.
 *
 * @param isTerminal whether a state is terminal: who is done waits for nobody, so a circle through it is none
 * @param previous the issues of the last reading; those that did not change are handed out again, as the same objects
 */
export const assemble = (
  entries: ReadonlyArray<FolderEntry>,
  isTerminal: (state: string) => boolean,
  previous: ReadonlyMap<string, Issue.Issue>
): IssueBatch => {
  const readable: Array<Readable> = []
  const unreadable: Array<Unreadable> = []
  for (const entry of entries) {
    if (Result.isSuccess(entry.content)) readable.push({ entry, file: entry.content.success })
    else unreadable.push({ entry, ...entry.content.failure, identity: entry.content.failure.identity })
  }
  const { duplicates, unique } = withoutDuplicates(readable)
  unreadable.push(...duplicates)

  const known = new Map(unique.map(({ file }) => [file.identifier, file]))
  const ids = new Set(unique.map(({ file }) => file.id))
  // Of a file that never could be read its name is the best guess, unless that is the name of another issue.
  const identityOf = ({ entry, identity }: Unreadable): Identity | null => {
    if (identity !== null) return ids.has(identity.id) ? null : identity
    return ids.has(entry.stem) || known.has(entry.stem)
      ? null
      : { id: entry.stem, identifier: entry.stem, parent: null }
  }
  const lost = new Map<string, Identity>()
  for (const one of unreadable) {
    const identity = identityOf(one)
    if (identity !== null && !known.has(identity.identifier)) lost.set(identity.identifier, identity)
  }

  const children = groupBy(
    [...unique.map(({ file }): Identity => file), ...lost.values()].filter(({ parent }) => parent !== null),
    ({ parent }) => parent ?? ""
  )
  const childrenOf = (identifier: string): ReadonlyArray<string> =>
    (children.get(identifier) ?? []).map((child) => child.identifier)

  const open = unique.filter(({ file }) => !isTerminal(file.state))
  const cycleNote = WaitCycles.find(
    new Map(open.map(({ file }) => [file.identifier, [...file.blockedBy, ...childrenOf(file.identifier)]]))
  )
  const reference = (from: string, identifier: string): Issue.IssueReference => {
    const file = known.get(identifier)
    if (file !== undefined) {
      const note = from === identifier ? "is the issue itself" : cycleNote(from, identifier)
      return { id: IssueId(file.id), identifier, state: file.state, note }
    }
    const identity = lost.get(identifier)
    return identity === undefined
      ? { id: absentId(identifier), identifier, state: null, note: "is not on the board" }
      : { id: IssueId(identity.id), identifier, state: null, note: "cannot be read" }
  }

  const toIssue = ({ entry, file }: Readable): Issue.Issue => {
    const parent = file.parent === null ? undefined : (known.get(file.parent) ?? lost.get(file.parent))
    const issue = Issue.make({
      id: IssueId(file.id),
      identifier: file.identifier,
      title: file.title,
      description: file.description,
      priority: file.priority,
      state: file.state,
      branchName: file.branchName,
      url: file.url,
      assigneeId: file.assigneeId,
      labels: file.labels,
      parentId: parent === undefined ? null : IssueId(parent.id),
      blockedBy: file.blockedBy.map((identifier) => reference(file.identifier, identifier)),
      subIssues: childrenOf(file.identifier).map((identifier) => reference(file.identifier, identifier)),
      nativeRef: entry.path,
      createdAtMs: file.createdAtMs ?? entry.createdAtMs,
      updatedAtMs: file.updatedAtMs ?? entry.modifiedAtMs
    })
    const before = previous.get(issue.id)
    return before !== undefined && Issue.isSame(before, issue) ? before : issue
  }

  const toRecord = (one: Unreadable): MalformedRecord => {
    const identity = identityOf(one)
    return {
      source: `${one.entry.path}:${one.line}`,
      id: identity === null ? null : IssueId(identity.id),
      identifier: identity?.identifier ?? null,
      message: one.message
    }
  }
  return { issues: unique.map(toIssue), malformed: unreadable.map(toRecord) }
}
