/** `opensymphony debug`: the arguments; what it does is loaded only when it is called. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ExitStatus } from "../ExitStatus.ts"
import { ProcessEnvironment } from "./issue/ProcessEnvironment.ts"

/** What is read at most of the end of a conversation. */
const mostEvents = 10_000

const on = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDefault(false), Flag.withDescription(description))

export const DebugCommand = Command.make(
  "debug",
  {
    issue: Argument.String("issue").pipe(Argument.withDescription("Identifier of the issue")),
    workflow: Flag.String("workflow").pipe(
      Flag.withMetavar("PATH"),
      Flag.optional,
      Flag.withDescription("The WORKFLOW.md that is meant; else $OPENSYMPHONY_WORKFLOW, else ./WORKFLOW.md")
    ),
    conversation: Flag.String("conversation").pipe(
      Flag.withMetavar("ID"),
      Flag.optional,
      Flag.withDescription("Another conversation than the one on record, such as one that was replaced")
    ),
    limit: Flag.Int("limit").pipe(
      Flag.filter(
        (limit) => limit >= 1 && limit <= mostEvents,
        (limit) => `--limit is 1 to ${mostEvents}, not ${limit}`
      ),
      Flag.withDefault(50),
      Flag.withDescription("How many events to show, the newest ones")
    ),
    full: on("full", "Show messages, calls and outputs in full"),
    json: on("json", "One JSON object a line, in full"),
    follow: on("follow", "Go on until the turn has ended, or until Ctrl-C"),
    say: Flag.String("say").pipe(
      Flag.withMetavar("TEXT"),
      Flag.filter(
        (text) => text.trim() !== "",
        () => "--say needs a text"
      ),
      Flag.optional,
      Flag.withDescription("Say this to the agent and show its turn; no orchestrator may be running on the workspaces")
    )
  },
  Effect.fnUntraced(function* ({ conversation, follow, full, issue, json, limit, say, workflow }) {
    const { debug } = yield* Effect.promise(() => import("../debug/DebugProgram.ts"))
    const form = json ? ("json" as const) : full ? ("full" as const) : ("lines" as const)
    const options = {
      issue,
      limit,
      form,
      follow,
      conversation: Option.getOrNull(conversation),
      workflow: Option.getOrNull(workflow),
      say: Option.getOrNull(say)
    }
    const status = yield* debug(options, yield* ProcessEnvironment)
    if (status !== 0) return yield* new ExitStatus({ status })
  })
).pipe(Command.withDescription("Look into the conversation of an issue: read it, follow it, say something"))
