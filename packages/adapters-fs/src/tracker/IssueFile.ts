/**
 * The format of one issue file: YAML front matter with the issue's fields, then the description. Pure: text in, fields
 * or problems with their lines out. How issues refer to each other is `IssueGraph`'s business.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Priority } from "@opensymphony/core/domain/Issue"
import * as Yaml from "yaml"
import * as FrontMatter from "./FrontMatter.ts"

/** Larger files are malformed: an issue is read by an agent, and every poll may read all of them. */
export const maxBytes = 1024 * 1024

/** What a file says about its issue; references are identifiers, as written. */
export interface IssueFile {
  readonly id: string
  readonly identifier: string
  readonly title: string
  readonly state: string
  readonly priority: Priority | null
  /** Lower case. */
  readonly labels: ReadonlyArray<string>
  readonly blockedBy: ReadonlyArray<string>
  readonly parent: string | null
  readonly branchName: string | null
  readonly url: string | null
  readonly assigneeId: string | null
  /** Milliseconds since the Unix epoch; null when the file's own times count. */
  readonly createdAtMs: number | null
  /** Milliseconds since the Unix epoch; null when the file's own times count. */
  readonly updatedAtMs: number | null
  readonly description: string | null
}

/** Who a file is about; known also of many files that cannot be read. */
export interface Identity {
  readonly id: string
  readonly identifier: string
  readonly parent: string | null
}

/** A file that is no issue: the first line that is wrong, everything that is wrong, and whose file it seems to be. */
export interface MalformedFile extends FrontMatter.FileProblem {
  readonly identity: Identity | null
}

/** One file being read: its fields are asked for one after the other, what is wrong with any of them is collected. */
interface Reading {
  readonly source: FrontMatter.FrontMatter
  readonly problems: Array<FrontMatter.FileProblem>
}

const reject = ({ problems, source }: Reading, node: unknown, message: string): null => {
  const range = Yaml.isNode(node) ? node.range : null
  problems.push({ line: range ? source.lineAt(range[0]) : 1, message })
  return null
}

const valueOf = (reading: Reading, key: string): unknown =>
  reading.source.resolve(FrontMatter.pairOf(reading.source.document.contents, key)?.value)

const scalarText = (node: unknown): string | null => {
  if (!Yaml.isScalar(node) || node.value === null) return null
  // `001`, `1.10` and `yes` in a text field mean what is written, not what YAML makes of it.
  const text = (typeof node.value === "string" ? node.value : (node.source ?? String(node.value))).trim()
  return text === "" ? null : text
}

/** A text of one line; null when absent or empty. */
const textField = (reading: Reading, key: string): string | null => {
  const node = valueOf(reading, key)
  if (Yaml.isCollection(node)) return reject(reading, node, `${key} must be a text, not a list or a map`)
  return scalarText(node)?.replace(/\s*[\r\n]+\s*/g, " ") ?? null
}

const requiredField = (reading: Reading, key: string, example: string): string => {
  const pair = FrontMatter.pairOf(reading.source.document.contents, key)
  const text = textField(reading, key)
  if (text === null && !Yaml.isCollection(pair?.value)) {
    reject(reading, pair?.key, `${key} is missing; add a line "${key}: ${example}"`)
  }
  return text ?? ""
}

const priorityField = (reading: Reading): Priority | null => {
  const node = valueOf(reading, "priority")
  const text = scalarText(node)
  if (!Yaml.isCollection(node)) {
    if (text === null || text.toLowerCase() === "none") return null
    const value = Number(text)
    if (value === 0) return null
    if (value === 1 || value === 2 || value === 3 || value === 4) return value
  }
  const given = text === null ? "" : `, not ${JSON.stringify(text)}`
  return reject(reading, node, `priority must be 1 (most urgent), 2, 3 or 4, or 0 for none${given}`)
}

/** A list of texts without duplicates. A single text is a list of one. */
const listField = (reading: Reading, key: string): ReadonlyArray<string> => {
  const node = valueOf(reading, key)
  const items = new Set<string>()
  if (Yaml.isSeq(node)) {
    for (const item of node.items) {
      const text = scalarText(reading.source.resolve(item))
      if (text === null) reject(reading, item ?? node, `${key} has an entry that is no text; mend or remove it`)
      else items.add(text)
    }
  } else if (Yaml.isMap(node)) {
    reject(reading, node, `${key} must be a list, such as [a, b]`)
  } else {
    const text = scalarText(node)
    if (text?.includes(",")) reject(reading, node, `${key} must be a list; put brackets around it: [${text}]`)
    else if (text !== null) items.add(text)
  }
  return [...items]
}

const instantField = (reading: Reading, key: string): number | null => {
  const text = textField(reading, key)
  if (text === null) return null
  const example = "such as 2026-01-31T12:00:00Z or 2026-01-31"
  const node = valueOf(reading, key)
  return (
    parseInstant(text) ??
    reject(reading, node, `${key} must be a date and time ${example}, not ${JSON.stringify(text)}`)
  )
}

/** Best effort, for files that are malformed elsewhere. */
const identityOf = (reading: Reading, stem: string): Identity | null => {
  if (!Yaml.isMap(reading.source.document.contents)) return null
  // In broken YAML a key that was not found may still be there.
  const identifier = scalarText(valueOf(reading, "identifier")) ?? (reading.source.problems.length === 0 ? stem : null)
  if (identifier === null) return null
  return {
    identifier,
    id: scalarText(valueOf(reading, "id")) ?? identifier,
    parent: scalarText(valueOf(reading, "parent"))
  }
}

const instantFormat =
  /^(\d{4})-(\d{2})-(\d{2})(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?[ \t]*(Z|z|[+-]\d{1,2}(?::?\d{2})?)?)?$/

/** RFC 3339, and what YAML 1.1 calls a timestamp: a bare date, blanks, a short offset, none for UTC. */
const parseInstant = (text: string): number | null => {
  const match = instantFormat.exec(text)
  if (match === null) return null
  const [, year, month, day, hour = "0", minute = "00", second = "00", fraction = "", offset = "Z"] = match
  const sign = offset.startsWith("-") ? "-" : "+"
  const digits = /^z$/i.test(offset) ? "0000" : offset.slice(1).replace(":", "")
  const [offsetHour, offsetMinute] = digits.length <= 2 ? [digits, "00"] : [digits.slice(0, -2), digits.slice(-2)]
  const local = DateTime.make(`${year}-${month}-${day}T${hour.padStart(2, "0")}:${minute}:${second}${fraction}Z`)
  const minutes = Number(offsetHour) * 60 + Number(offsetMinute)
  if (Option.isNone(local) || Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null
  // A day that the month does not have rolls over to the next month instead of failing.
  if (!DateTime.formatIso(local.value).startsWith(`${year}-${month}-${day}`)) return null
  return DateTime.toEpochMillis(local.value) - (sign === "-" ? -1 : 1) * minutes * 60_000
}

/**
 * Reads the text of an issue file. `stem` is the file's name without `.md`, the default identifier. Keys that nobody
 * knows are ignored.
 */
export const parse = (stem: string, text: string): Result.Result<IssueFile, MalformedFile> => {
  const source = FrontMatter.parse(text)
  if (Result.isFailure(source)) return Result.fail({ ...source.failure, identity: null })
  const { bodyStart, document, problems } = source.success
  if (problems.length === 0 && document.contents !== null && !Yaml.isMap(document.contents)) {
    return Result.fail({ line: 2, message: 'the front matter must be lines of "key: value"', identity: null })
  }
  const reading: Reading = { source: source.success, problems: [] }
  const identifier = textField(reading, "identifier") ?? stem
  const description = text.slice(bodyStart).replace(/\r\n/g, "\n").trim()
  const file: IssueFile = {
    identifier,
    id: textField(reading, "id") ?? identifier,
    title: requiredField(reading, "title", "What is to be done"),
    state: requiredField(reading, "state", "Todo"),
    priority: priorityField(reading),
    labels: listField(reading, "labels").map((label) => label.toLowerCase()),
    blockedBy: listField(reading, "blocked_by"),
    parent: textField(reading, "parent"),
    branchName: textField(reading, "branch"),
    url: textField(reading, "url"),
    assigneeId: textField(reading, "assignee"),
    createdAtMs: instantField(reading, "created_at"),
    updatedAtMs: instantField(reading, "updated_at"),
    description: description === "" ? null : description
  }
  // What a field is cannot be judged while the YAML around it is broken.
  const found = problems.length > 0 ? problems : reading.problems
  return found.length === 0
    ? Result.succeed(file)
    : Result.fail({ ...joined(found), identity: identityOf(reading, stem) })
}

/** One record for all that is wrong with a file: it reads as the first problem, then the others with their lines. */
const joined = (problems: ReadonlyArray<FrontMatter.FileProblem>): FrontMatter.FileProblem => {
  const [first, ...others] = [...problems].sort((self, that) => self.line - that.line)
  return {
    line: first?.line ?? 1,
    message: [first?.message, ...others.slice(0, 9).map(({ line, message }) => `line ${line}: ${message}`)].join("; ")
  }
}
