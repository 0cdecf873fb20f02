// Agents that do their work through the tools of their run, over HTTP as any agent would: notes in the workpad, a closing
// comment, the last move. They remember nothing: what was done they find in Linear. What is refused they try again.
import * as ToolClient from "@opensymphony/adapters-linear/tools/ToolClient"
import type { RunId } from "@opensymphony/core/domain/Ids"
import { AgentRuntime, type AgentRuntimeService, TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import type { RunTools } from "@opensymphony/core/ports/AgentTools"
import { MemoryRuntime } from "@opensymphony/core/testing"
import type { Prng } from "@opensymphony/core/testing/simulator/Prng"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { ToolCalls } from "./Ledger.ts"
import type { Witness } from "./Witness.ts"

export const closingWords = "All done, see the notes."
const retryAfterMs = 10_000

const noteOf = (turn: number): string => `- [x] part ${turn}`

/** The turns that a workpad tells of; Linear spells lists in its own way. */
export const notesIn = (workpad: string): ReadonlyArray<number> =>
  [...workpad.matchAll(/^[-*] \[[xX]\] part (\d+)$/gm)].map(([, turn]) => Number(turn))

export interface ToolAgentsOptions {
  readonly witness: Witness
  /** How many turns each issue takes, by id. */
  readonly turns: ReadonlyMap<string, number>
  readonly random: Prng
}

export interface ToolAgents {
  readonly layer: Layer.Layer<AgentRuntime>
  /** Calls by name of the tool, and those of them that were not carried out. */
  readonly calls: ReadonlyMap<string, ToolCalls>
  /** Everything that agents were told, sent and received, and what stood in the files of their workspaces. */
  readonly seen: ReadonlyArray<string>
}

const stateIn = (data: unknown): unknown =>
  typeof data === "object" && data !== null && "state" in data ? data.state : null

const textsIn = (directory: string): ReadonlyArray<string> =>
  Fs.readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => Fs.readFileSync(Path.join(entry.parentPath, entry.name), "utf8"))

/** `fetch`, with an ear on what is sent. */
const overheard =
  (seen: Array<string>): typeof globalThis.fetch =>
  (input, init) => {
    const { body } = init ?? {}
    seen.push(`${String(input)} ${JSON.stringify([...new Headers(init?.headers)])}`)
    if (body instanceof Uint8Array) seen.push(Buffer.from(body).toString())
    return globalThis.fetch(input, init)
  }

export const make = Effect.fnUntraced(function* ({ random, turns, witness }: ToolAgentsOptions) {
  const tools = new Map<RunId, RunTools>()
  const calls = new Map<string, ToolCalls>()
  const seen: Array<string> = []
  const http = FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, overheard(seen))))

  const count = (name: string, refused: number) => {
    const before = calls.get(name) ?? { made: 0, refused: 0 }
    calls.set(name, { made: before.made + 1, refused: before.refused + refused })
  }

  /** Calls a tool until it does what it should. */
  const use = Effect.fnUntraced(function* (
    turn: MemoryRuntime.TurnContext,
    name: string,
    input: { readonly [name: string]: unknown } = {}
  ) {
    while (true) {
      const [endpoint] = tools.get(turn.runId)?.servers ?? []
      if (endpoint === undefined) return yield* Effect.die(new Error("a run without tools"))
      yield* turn.activity(name)
      const answer = yield* Effect.result(ToolClient.call(endpoint, name, input))
      const failure =
        answer._tag === "Failure" ? answer.failure.message : answer.success.isError ? answer.success.text : null
      seen.push(failure ?? JSON.stringify(answer))
      count(name, failure === null ? 0 : 1)
      if (answer._tag === "Success" && failure === null) return answer.success
      yield* turn.activity(`${name}: ${failure}`)
      yield* Effect.sleep(retryAfterMs + random.int(0, 5_000))
    }
  })

  const agent: MemoryRuntime.Agent = Effect.fnUntraced(
    function* (turn) {
      const { issue, workspace } = turn
      const total = turns.get(issue.id) ?? 1
      seen.push(turn.prompt)
      const { data, text } = yield* use(turn, "get_issue", { comments: 20 })
      if (stateIn(data) === "Todo") yield* use(turn, "move_issue", { state: "In Progress" })
      const done = Math.max(0, ...notesIn((yield* use(turn, "read_workpad")).text))
      if (done < total) {
        yield* Effect.sleep(random.int(60_000, 150_000))
        const lines = Array.from({ length: done + 1 }, (_, index) => noteOf(index + 1))
        yield* use(turn, "write_workpad", { text: lines.join("\n") })
        Fs.writeFileSync(Path.join(workspace.path, `part-${done + 1}.txt`), turn.runId)
      }
      if (done + 1 >= total) {
        if (!text.includes(closingWords)) yield* use(turn, "add_comment", { body: closingWords })
        yield* use(turn, "move_issue", { state: "done" })
      }
      return TurnResult.Completed({ summary: `part ${Math.min(done + 1, total)} of ${total}` })
    },
    (turn) => Effect.provide(turn, http)
  )

  const { service } = yield* MemoryRuntime.make(agent)
  const openSession: AgentRuntimeService["openSession"] = (request) => {
    const { run } = request
    const begun = Effect.acquireRelease(
      Effect.sync(() => {
        tools.set(run.runId, request.tools)
        witness.began(run)
      }),
      () =>
        Effect.sync(() => {
          witness.ended(run)
          seen.push(...textsIn(run.workspace.path))
        })
    )
    return Effect.andThen(begun, service.openSession(request))
  }
  const layer = Layer.succeed(AgentRuntime, { ...service, openSession })
  return { layer, calls, seen } satisfies ToolAgents
})
