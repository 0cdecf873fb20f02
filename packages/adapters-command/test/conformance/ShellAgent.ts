/** An agent of a conformance case as a shell script, and the processes it leaves, seen from outside. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import type { AgentPlay } from "@opensymphony/core/testing"
import { Effect, Layer, Logger } from "effect"
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export const platform = NodeProcessProbe.layer.pipe(
  Layer.provideMerge(NodeServices.layer),
  Layer.provideMerge(Logger.layer([]))
)

export const environment = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" }

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const report = (content: object): string => `printf '%s\\n' ${quoted(JSON.stringify({ opensymphony: content }))}`

const endings = (ending: AgentPlay.AgentEnding): string => {
  switch (ending._tag) {
    case "Completes":
      return ending.summary === null ? "exit 0" : report({ summary: ending.summary })
    case "Fails":
      return "exit 1"
    case "Hangs":
      return "while :; do sleep 60; done"
    case "UsageLimited":
      return report({
        usage_limited_until: ending.untilMs === null ? "some day" : new Date(ending.untilMs).toISOString()
      })
  }
}

/** The script of every turn. It keeps its pid and its prompts in a folder beside the workspace. */
export const script = ({ ending, says, session, uses }: AgentPlay.AgentPlay): string =>
  [
    'notes="$OPENSYMPHONY_WORKSPACE.notes"; mkdir -p "$notes"',
    'echo $$ > "$notes/pid"; cat > "$notes/prompt-$OPENSYMPHONY_TURN"',
    ...says.map((text) => `printf '%s\\n' ${quoted(text)}`),
    ...(session === null ? [] : [report({ session })]),
    ...(uses === null
      ? []
      : [
          report({
            usage: {
              input_tokens: uses.inputTokens,
              output_tokens: uses.outputTokens,
              cache_read_tokens: uses.cacheReadTokens,
              cost_usd: uses.costUsd
            }
          })
        ]),
    endings(ending)
  ].join("\n")

/** The process group of the agent that works, or last worked, in a workspace; null when there was none. */
export const groupIn = (workspace: string): number | null => {
  const file = join(`${workspace}.notes`, "pid")
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : null
}

export const prompts = (workspace: string): ReadonlyArray<string> =>
  readdirSync(`${workspace}.notes`)
    .filter((name) => name.startsWith("prompt-"))
    .sort()
    .map((name) => readFileSync(join(`${workspace}.notes`, name), "utf8"))

export const groupAlive = Effect.fnUntraced(function* (workspace: string) {
  const pgid = groupIn(workspace)
  return pgid !== null && (yield* (yield* ProcessProbe).groupAlive(pgid))
})

export const kill = Effect.fnUntraced(function* (workspace: string) {
  const pgid = groupIn(workspace)
  if (pgid !== null) yield* (yield* ProcessProbe).signalGroup(pgid, "SIGKILL")
})

/** A fresh directory that goes with the case. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(realpathSync(tmpdir()), "conformance-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** A probe that cannot end a group while `immortal` says so. */
export const probeWith = (immortal: () => boolean) =>
  Layer.effect(
    ProcessProbe,
    Effect.map(ProcessProbe, (probe) =>
      ProcessProbe.of({
        ...probe,
        endGroup: (pgid, options) =>
          Effect.suspend(() => (immortal() ? Effect.succeed(false) : probe.endGroup(pgid, options)))
      })
    )
  )
