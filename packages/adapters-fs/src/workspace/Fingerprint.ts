/**
 * A digest of the work in a workspace, to tell progress from none. In a git repository: HEAD, the index, and the content
 * of changed and untracked files that are not ignored. Elsewhere: path, size and content of every file. It never counts
 * `.opensymphony/`, times, pipes and devices, or what git ignores, and never follows a link.
 *
 * Bounds, counted over the whole workspace: the content of the first {@link maxFiles} files and the first {@link maxBytes}
 * bytes; beyond them only what git, or the listing, says about a file. Listings end after {@link maxEntries} entries.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Git from "./Git.ts"
import * as Sha256 from "./Sha256.ts"
import { ownDirectory } from "./WorkspaceRoot.ts"

export const maxFiles = 20_000
export const maxBytes = 256 * 1024 * 1024
export const maxEntries = 200_000

const pieceBytes = 1024 * 1024

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner

/** What is left of the bounds. */
interface Budget {
  files: number
  bytes: number
  entries: number
}

/** The digest of a workspace, as 64 hex digits. */
export const make = (workspacePath: string, git: Git.GitContext): Effect.Effect<string, Git.GitUnavailable, Services> =>
  Effect.suspend(() => {
    const budget: Budget = { files: maxFiles, bytes: maxBytes, entries: maxEntries }
    return directoryLines(workspacePath, budget, git, [ownDirectory])
  }).pipe(Effect.flatMap((lines) => Sha256.hex(lines.join("\n"))))

/** What a directory contributes; `excluded` are names in it that never count. */
const directoryLines = (
  directory: string,
  budget: Budget,
  git: Git.GitContext,
  excluded: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, Git.GitUnavailable, Services> =>
  Effect.gen(function* () {
    if (yield* Effect.orElseSucceed(Git.isRepository(directory), () => false)) {
      const lines = yield* repositoryLines(directory, budget, git, excluded)
      if (lines !== null) return lines
    }
    return yield* fileLines(directory, budget, git, [".git", ...excluded])
  })

const statusArguments = [
  "status",
  "--porcelain=v2",
  "-z",
  "--branch",
  "--untracked-files=all",
  "--no-renames",
  "--ignore-submodules=none"
]

/** Null when git cannot read the repository; its files then count as files. */
const repositoryLines = Effect.fnUntraced(function* (
  directory: string,
  budget: Budget,
  git: Git.GitContext,
  excluded: ReadonlyArray<string>
) {
  const path = yield* Path.Path
  const owned = yield* Effect.catchTag(Git.ownsWorkTree(directory, git), "PlatformError", () => Effect.succeed(false))
  if (!owned) return null
  const pathspecs = excluded.map((name) => `:(top,exclude)${name}`)
  const answer = yield* Git.run(directory, [...statusArguments, "--", ".", ...pathspecs], git)
  if (answer.exitCode !== 0) return null
  const lines: Array<string> = []
  for (const entry of new TextDecoder().decode(answer.stdout).split("\0")) {
    if (entry === "") continue
    if (entry.startsWith("#")) {
      // Of the headers only HEAD is work; the upstream moves without it.
      if (entry.startsWith("# branch.oid ")) lines.push(entry)
      continue
    }
    const changed = changedPath(entry)
    lines.push(changed === null ? entry : `${entry} ${yield* content(path.join(directory, changed), budget, git)}`)
  }
  return lines
})

/**
 * The path of a status entry whose content is not in the repository already, else null. Formats: git-status(1), porcelain
 * version 2: eight fields before the path of a changed entry, ten before that of an unmerged one.
 */
const changedPath = (entry: string): string | null => {
  if (entry.startsWith("? ")) return entry.slice(2)
  const fields = entry.split(" ")
  if (entry.startsWith("u ")) return fields.slice(10).join(" ")
  if (entry.startsWith("1 ") && fields[1]?.[1] !== ".") return fields.slice(8).join(" ")
  return null
}

/** Every file below a directory, in the order of its path. */
const fileLines = Effect.fnUntraced(function* (
  directory: string,
  budget: Budget,
  git: Git.GitContext,
  excluded: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<string>, Git.GitUnavailable, Services> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const entries = yield* Effect.orElseSucceed(fs.readDirectoryEntries(directory), () => null)
  if (entries === null) return ["(unreadable)"]
  const lines: Array<string> = []
  for (const { name, type } of [...entries].sort((self, that) => (self.name < that.name ? -1 : 1))) {
    if (excluded.includes(name)) continue
    if (budget.entries-- <= 0) break
    const target = path.join(directory, name)
    if (type === "Directory") {
      for (const line of yield* directoryLines(target, budget, git, [])) lines.push(`${name}/${line}`)
    } else if (type === "File" || type === "SymbolicLink") {
      lines.push(`${name} ${yield* content(target, budget, git)}`)
    }
  }
  return lines
})

/** What is at a path now, in one word: its size and the digest of its content, as far as the bounds allow. */
const content = (
  target: string,
  budget: Budget,
  git: Git.GitContext
): Effect.Effect<string, Git.GitUnavailable, Services> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const info = yield* fs.lstat(target)
    switch (info.type) {
      case "SymbolicLink":
        return `-> ${yield* fs.readLink(target)}`
      case "Directory": {
        const lines = yield* directoryLines(target, budget, git, [])
        return yield* Sha256.hex(lines.join("\n"))
      }
      case "File":
        return `${ByteSize.toBigInt(info.size)} ${yield* fileDigest(target, budget)}`
      default:
        return info.type
    }
  }).pipe(Effect.catchTag("PlatformError", (error: PlatformError) => Effect.succeed(`(${error.reason._tag})`)))

const fileDigest = (target: string, budget: Budget) =>
  Effect.gen(function* () {
    if (budget.files <= 0 || budget.bytes <= 0) return "-"
    budget.files -= 1
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(target, { noFollow: true })
    const chain = Sha256.chain()
    const buffer = new Uint8Array(pieceBytes)
    while (budget.bytes > 0) {
      const length = yield* fill(file, buffer.subarray(0, Math.min(pieceBytes, budget.bytes)))
      if (length === 0) break
      budget.bytes -= length
      yield* chain.append(buffer.subarray(0, length))
    }
    return yield* chain.hex
  }).pipe(Effect.scoped)

/** Reads until the buffer is full or the file ends, so that pieces are cut the same way every time. */
const fill = Effect.fnUntraced(function* (file: FileSystem.File, buffer: Uint8Array) {
  let length = 0
  while (length < buffer.length) {
    const read = yield* file.read(buffer.subarray(length))
    if (read === 0) break
    length += read
  }
  return length
})
