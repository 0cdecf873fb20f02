/**
 * The runtime on any command-line agent: `command.run` of the workflow, once per turn. What a turn is belongs to
 * {@link CommandSession}, what its output means to {@link TurnOutput}.
 */
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import { AgentRuntime } from "@opensymphony/core/ports/AgentRuntime"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import * as CommandSession from "./CommandSession.ts"

export type CommandRuntimeOptions = CommandSession.CommandOptions

type Services = ChildProcessSpawner | ProcessProbe

/** A runtime of kind `command`. It is always up: whether the command works shows when it runs. */
export const layer = (options: CommandRuntimeOptions): Layer.Layer<AgentRuntime, never, Services> =>
  Layer.effect(
    AgentRuntime,
    Effect.gen(function* () {
      const services = Context.pick(ChildProcessSpawner, ProcessProbe)(yield* Effect.context<Services>())
      return AgentRuntime.of({
        kind: "command",
        openSession: (request) => Effect.provide(CommandSession.make(options, request), services),
        health: Stream.empty
      })
    })
  )
