/** The name and the text of an issue file that does not exist yet. */
import * as Yaml from "yaml"

export interface NewIssue {
  readonly title: string
  readonly state: string
  readonly priority: number | null
  readonly labels: ReadonlyArray<string>
  readonly blockedBy: ReadonlyArray<string>
  readonly parent: string | null
  readonly description: string
}

/** The text of the file, with the time of its creation (RFC 3339), which file times do not keep. */
export const render = (issue: NewIssue, createdAt: string): string => {
  const list = (items: ReadonlyArray<string>) => (items.length === 0 ? null : items)
  const fields = {
    title: issue.title,
    state: issue.state,
    priority: issue.priority,
    labels: list(issue.labels),
    blocked_by: list(issue.blockedBy),
    parent: issue.parent,
    created_at: createdAt
  }
  const document = new Yaml.Document(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)))
  Yaml.visit(document, { Seq: (_, node) => void (node.flow = true) })
  const description = issue.description.trim()
  const body = description === "" ? "" : `\n${description}\n`
  return `---\n${document.toString({ lineWidth: 0, flowCollectionPadding: false })}---\n${body}`
}

const forbidden = /[/\\:*?"<>|\p{Cc}]/u
const maxKeyBytes = 200

/** Why a key cannot name a file, null when it can. The file is called `KEY.md`. */
export const keyProblem = (key: string): string | null => {
  const named = `the key ${JSON.stringify(key)}`
  if (key.trim() !== key || key === "") return `${named} is empty, or begins or ends with a blank`
  if (key.startsWith(".")) return `${named} begins with a dot, which would hide its file; leave the dot out`
  if (forbidden.test(key)) return `${named} has a character that file names do not take; use letters, digits, - and _`
  const isTooLong = new TextEncoder().encode(key).length > maxKeyBytes
  return isTooLong ? `${named} is longer than ${maxKeyBytes} bytes; shorten it` : null
}

const numbered = /^(.*?)(\d{1,15})$/

/**
 * The name that follows those in use: the most frequent prefix with the next number, in as many digits. `ISSUE-1` on a
 * board without numbered names.
 */
export const nextKey = (used: ReadonlyArray<string>): string => {
  const series = new Map<string, { count: number; highest: number; digits: number }>()
  for (const key of used) {
    const [, prefix, number] = numbered.exec(key) ?? []
    if (prefix === undefined || number === undefined || keyProblem(key) !== null) continue
    const known = series.get(prefix) ?? { count: 0, highest: 0, digits: 1 }
    known.count += 1
    known.highest = Math.max(known.highest, Number(number))
    if (number.startsWith("0")) known.digits = Math.max(known.digits, number.length)
    series.set(prefix, known)
  }
  const [prefix, { digits, highest }] = [...series].sort(
    ([one, a], [other, b]) => b.count - a.count || (one < other ? -1 : 1)
  )[0] ?? ["ISSUE-", { digits: 1, highest: 0 }]
  return `${prefix}${String(highest + 1).padStart(digits, "0")}`
}
