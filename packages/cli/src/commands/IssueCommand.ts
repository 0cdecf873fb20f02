/** `opensymphony issue`: the board of a files tracker for people, and for agents that move their own issue. */
import { maxBytes } from "@opensymphony/adapters-fs/tracker/IssueFile"
import { lookUp } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { findBoard } from "./issue/FindBoard.ts"
import { IssueCommandError } from "./issue/IssueCommandError.ts"
import * as IssueText from "./issue/IssueText.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

const parent = Command.make("issue").pipe(
  Command.withSharedFlags({
    workflow: Flag.String("workflow").pipe(
      Flag.withMetavar("PATH"),
      Flag.withDescription("The WORKFLOW.md whose board is meant; else $OPENSYMPHONY_WORKFLOW, else ./WORKFLOW.md"),
      Flag.optional
    )
  })
)

const openBoard = Effect.flatMap(parent, ({ workflow }) => findBoard(workflow))

const readable = <A, E extends { readonly message: string }, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, IssueCommandError, R> =>
  Effect.mapError(effect, ({ message }) => new IssueCommandError({ message: message.replace(/\s+/g, " ") }))

const printLines = (lines: ReadonlyArray<string>): Effect.Effect<void> =>
  lines.length === 0 ? Effect.void : Console.log(lines.join("\n"))

/** The text itself, or all of standard input for `-`. */
const textOrStdin = Effect.fnUntraced(function* (text: string) {
  if (text !== "-") return text
  const stdio = yield* Stdio.Stdio
  let bytes = 0
  return yield* stdio.stdin.pipe(
    Stream.tap((chunk) => {
      bytes += chunk.length
      return bytes <= maxBytes
        ? Effect.void
        : Effect.fail({ message: `standard input is longer than ${maxBytes} bytes; shorten it` })
    }),
    Stream.decodeText,
    Stream.mkString
  )
})

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    const stdio = yield* Stdio.Stdio
    const { board } = yield* openBoard
    const { issues, malformed } = yield* board.list
    const sorted = IssueText.byIdentifier(issues)
    const isTerminal = yield* stdio.stdoutIsTerminal
    if (isTerminal && issues.length === 0) yield* Console.log(`no issues in ${board.directory}`)
    else yield* printLines(isTerminal ? IssueText.table(sorted) : IssueText.tabSeparated(sorted))
    yield* Effect.forEach(malformed, ({ message, source }) => Console.error(`${source}: ${message}`))
  }, readable)
).pipe(Command.withDescription("List every issue: identifier, state, priority, title (tab-separated in a pipe)"))

const keyArgument = Argument.String("key").pipe(Argument.withDescription("Identifier of the issue"))

const show = Command.make(
  "show",
  { key: keyArgument },
  Effect.fnUntraced(function* ({ key }) {
    const { board } = yield* openBoard
    const issue = yield* board.show(key)
    const { issues } = yield* board.list
    const parentIssue = issues.find(({ id }) => id === issue.parentId)
    yield* printLines(IssueText.detailed(issue, parentIssue?.identifier ?? issue.parentId))
  }, readable)
).pipe(Command.withDescription("Show one issue with its blockers, description and comments"))

const create = Command.make(
  "new",
  {
    title: Flag.String("title").pipe(Flag.withDescription("What is to be done, in one line")),
    key: Flag.String("key").pipe(
      Flag.withDescription("Identifier, and name of the file; else the next free one"),
      Flag.optional
    ),
    state: Flag.String("state").pipe(
      Flag.withDescription("State; else the first active one of the workflow"),
      Flag.optional
    ),
    priority: Flag.Literals("priority", ["0", "1", "2", "3", "4"]).pipe(
      Flag.withDescription("1 (most urgent) to 4, 0 for none"),
      Flag.withDefault("0")
    ),
    labels: Flag.String("label").pipe(Flag.withDescription("A label; may be repeated"), Flag.atLeast(0)),
    blockedBy: Flag.String("blocked-by").pipe(
      Flag.withMetavar("KEY"),
      Flag.withDescription("An issue that must be done first; may be repeated"),
      Flag.atLeast(0)
    ),
    parent: Flag.String("parent").pipe(
      Flag.withMetavar("KEY"),
      Flag.withDescription("The issue that this is a part of"),
      Flag.optional
    ),
    description: Flag.String("description").pipe(
      Flag.withDescription("Markdown; - reads it from standard input"),
      Flag.withDefault("")
    )
  },
  Effect.fnUntraced(function* ({ blockedBy, description, key, labels, parent: parentKey, priority, state, title }) {
    const { activeStates, board } = yield* openBoard
    const issue = yield* board.create({
      title,
      key: Option.getOrNull(key),
      state: Option.getOrElse(state, () => activeStates[0] ?? "Todo"),
      priority: priority === "0" ? null : Number(priority),
      labels,
      blockedBy,
      parent: Option.getOrNull(parentKey),
      description: yield* textOrStdin(description)
    })
    yield* Console.log(issue.identifier)
    const doubtful = issue.blockedBy.filter(({ note }) => note !== null)
    yield* Effect.forEach(doubtful, ({ identifier, note }) => Console.error(`warning: blocker ${identifier}: ${note}`))
    if (Option.isSome(parentKey) && issue.parentId === null) {
      yield* Console.error(`warning: parent ${parentKey.value}: is not on the board`)
    }
  }, readable)
).pipe(Command.withDescription("Add an issue and print its identifier"))

const move = Command.make(
  "move",
  {
    key: keyArgument,
    state: Argument.String("state").pipe(Argument.withDescription("Name of the state"), Argument.variadic({ min: 1 }))
  },
  Effect.fnUntraced(function* ({ key, state }) {
    const { board } = yield* openBoard
    const moved = yield* board.move(key, state.join(" "))
    if (!moved.isKnownState) {
      const hint = moved.nearestState === null ? "" : `; did you mean ${moved.nearestState}?`
      const doubt = `the workflow has no state ${JSON.stringify(moved.to)}, nor has another issue`
      yield* Console.error(`warning: ${doubt}${hint}`)
    }
    const to = JSON.stringify(moved.to)
    yield* Console.log(
      moved.changed
        ? `${moved.identifier} moved from ${JSON.stringify(moved.from)} to ${to}`
        : `${moved.identifier} is already in ${to}`
    )
  }, readable)
).pipe(Command.withDescription("Change the state of an issue, and nothing else in its file"))

/** Who a comment is by when nobody says: an agent inside its run, else the user. */
const defaultAuthor = Effect.map(ProcessEnvironment, (environment) =>
  lookUp(environment, "OPENSYMPHONY_RUN_ID") === null
    ? (lookUp(environment, "USER") ?? lookUp(environment, "LOGNAME") ?? "somebody")
    : "agent"
)

const comment = Command.make(
  "comment",
  {
    key: keyArgument,
    text: Argument.String("text").pipe(
      Argument.withDescription("Markdown; - reads it from standard input"),
      Argument.variadic({ min: 1 })
    ),
    author: Flag.String("author").pipe(
      Flag.withDescription("Who says it; else the user, or the agent in a run"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ author, key, text }) {
    const { board } = yield* openBoard
    const name = Option.isSome(author) ? author.value : yield* defaultAuthor
    const identifier = yield* board.comment(key, yield* textOrStdin(text.join(" ")), name)
    yield* Console.log(`commented on ${identifier}`)
  }, readable)
).pipe(Command.withDescription("Append to the comments of an issue"))

/** The command `issue` with its subcommands. Failures are {@link IssueCommandError}s: one line, status 1. */
export const IssueCommand = parent.pipe(
  Command.withDescription("Look at and change the issues of a files tracker"),
  Command.withSubcommands([list, show, create, move, comment])
)
