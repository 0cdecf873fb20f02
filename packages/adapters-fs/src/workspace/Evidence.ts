/**
 * Whether everything in a workspace that is worth keeping is also elsewhere. In doubt it is not: what git cannot answer,
 * what takes too long and what is too large to look through all count as work.
 *
 * All repositories in the workspace are examined, also nested ones, submodules and what their metadata still holds.
 * Commits count as safe when a remote-tracking branch has them. Tags are left out: most came from the remote, and git
 * does not know which.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Git from "./Git.ts"
import { explain } from "./IoError.ts"
import { ownDirectory } from "./WorkspaceRoot.ts"

/** A workspace with more entries than this is not looked through, so kept. */
export const maxEntries = 1_000_000

const maxNamed = 3

interface Repositories {
  /** Directories with a work tree and a `.git` of their own. */
  readonly workTrees: ReadonlyArray<string>
  /** Repositories without a work tree of their own: bare ones, and metadata of submodules. */
  readonly bare: ReadonlyArray<string>
}

/** A reason to keep the workspace, for people; null when nothing would be lost. */
export const reasonToKeep = Effect.fnUntraced(
  function* (workspacePath: string, git: Git.GitContext) {
    const found = yield* findRepositories(workspacePath)
    if (typeof found === "string") return found
    for (const directory of found.workTrees) {
      const reason = yield* workTreeReason(directory, directory === workspacePath ? [ownDirectory] : [], git)
      if (reason !== null) return reason
    }
    for (const directory of found.bare) {
      const reason = yield* commitReason(directory, ["--git-dir=."], git)
      if (reason !== null) return reason
    }
    return null
  },
  Effect.catchTag("GitUnavailable", (error) => Effect.succeed(`it cannot be examined: ${error.message}`))
)

/** Looks through the whole tree without following links; a string says why that was not possible. */
const findRepositories = Effect.fnUntraced(
  function* (workspacePath: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const workTrees: Array<string> = []
    const bare: Array<string> = []
    const pending = [workspacePath]
    let entriesLeft = maxEntries
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      const entries = yield* fs.readDirectoryEntries(directory)
      entriesLeft -= entries.length
      if (entriesLeft < 0) return `it has more than ${maxEntries} files, too many to examine`
      const names = new Set(entries.map(({ name }) => name))
      if (names.has("HEAD") && names.has("objects") && names.has("refs")) {
        bare.push(directory)
        continue
      }
      if (names.has(".git")) workTrees.push(directory)
      for (const { name, type } of entries) {
        const target = path.join(directory, name)
        if (name === ".git") {
          const modules = path.join(target, "modules")
          if (type === "Directory" && (yield* fs.exists(modules))) pending.push(modules)
        } else if (type === "Directory" && !(directory === workspacePath && name === ownDirectory)) {
          pending.push(target)
        }
      }
    }
    return { workTrees, bare } satisfies Repositories
  },
  Effect.catchTag("PlatformError", (error) =>
    Effect.succeed(
      `${String(error.reason._tag === "BadArgument" ? "" : error.reason.pathOrDescriptor)} cannot be read: ${explain(error)}`
    )
  )
)

const statusArguments = [
  "status",
  "--porcelain=v1",
  "-z",
  "--untracked-files=normal",
  "--no-renames",
  "--ignore-submodules=none"
]

/** One commit that some reference or HEAD has and no remote-tracking branch. */
const unpushedArguments = [
  "rev-list",
  "--max-count=1",
  "--exclude=refs/tags/*",
  "--exclude=refs/remotes/*",
  "--exclude=refs/prefetch/*",
  "--all",
  "--not",
  "--remotes"
]

const failed = (directory: string, command: string) => `${command} fails in ${directory}`

const workTreeReason = Effect.fnUntraced(function* (
  directory: string,
  excluded: ReadonlyArray<string>,
  git: Git.GitContext
) {
  const path = yield* Path.Path
  const fs = yield* FileSystem.FileSystem
  const owned = yield* Effect.orElseSucceed(Git.ownsWorkTree(directory, git), () => false)
  if (!owned) return `git cannot read the repository in ${directory}`

  const pathspecs = excluded.map((name) => `:(top,exclude)${name}`)
  const status = yield* Git.ask(directory, [...statusArguments, "--", ".", ...pathspecs], git)
  if (status === null) return failed(directory, "git status")
  const changes = status.split("\0").filter((entry) => entry !== "")
  if (changes.length > 0) return `${directory} has uncommitted or untracked files: ${summary(changes, 3)}`

  const flags = yield* Git.run(directory, ["ls-files", "-v", "-z"], git)
  if (flags.exitCode !== 0) return failed(directory, "git ls-files")
  if (flags.truncated) return `${directory} tracks too many files to examine`
  const sparse = (yield* Git.ask(directory, ["config", "--bool", "core.sparseCheckout"], git))?.trim() === "true"
  const hidden = new TextDecoder()
    .decode(flags.stdout)
    .split("\0")
    .filter((entry) => /^[a-z]/.test(entry) || (!sparse && entry.startsWith("S")))
  if (hidden.length > 0) return `${directory} has files whose changes git is told to overlook: ${summary(hidden, 2)}`

  const isMain = Effect.map(fs.stat(path.join(directory, ".git")), ({ type }) => type === "Directory")
  if (yield* Effect.orElseSucceed(isMain, () => false)) {
    const list = yield* Git.ask(directory, ["worktree", "list", "--porcelain"], git)
    if (list === null) return failed(directory, "git worktree list")
    const linked = list.split("\n\n").filter((block) => block.startsWith("worktree ") && !/^prunable/m.test(block))
    if (linked.length > 1) return `${directory} has linked work trees that need it`
  }
  return yield* commitReason(directory, [], git)
})

/** Whether a repository has stashes, or commits that no remote-tracking branch has. */
const commitReason = Effect.fnUntraced(function* (
  directory: string,
  global: ReadonlyArray<string>,
  git: Git.GitContext
) {
  const stash = yield* Git.run(directory, [...global, "rev-parse", "--quiet", "--verify", "refs/stash"], git)
  if (stash.exitCode === 0) return `${directory} has stashed changes`
  const unpushed = yield* Git.ask(directory, [...global, ...unpushedArguments], git)
  if (unpushed === null) return failed(directory, "git rev-list")
  if (unpushed.trim() !== "")
    return `${directory} has commits that are on no remote, such as ${unpushed.trim().slice(0, 12)}`
  return null
})

/** `a.txt, b.txt and 4 more`, from entries whose path begins at `offset`. */
const summary = (entries: ReadonlyArray<string>, offset: number): string => {
  const names = entries.slice(0, maxNamed).map((entry) => entry.slice(offset))
  const rest = entries.length - names.length
  return rest > 0 ? `${names.join(", ")} and ${rest} more` : names.join(", ")
}
