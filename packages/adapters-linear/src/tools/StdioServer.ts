/** MCP over standard input and output: one JSON-RPC message a line, and nothing else on either. */
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js"
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { PlatformError } from "effect/PlatformError"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { ToolHost } from "./ToolHost.ts"
import * as ToolProtocol from "./ToolProtocol.ts"

/** A longer line is no message of a client that means well; what follows on it is dropped. */
const maxLineLength = 4 * 1024 * 1024
/** Answers that nobody has read yet; beyond them calls wait. */
const maxAnswers = 256
/** What calls may still take to be answered when the input has ended. */
const drainTimeoutMs = 5000

const messageOf = (line: string): Result.Result<JSONRPCMessage, string> =>
  Result.try({
    try: () => JSONRPCMessageSchema.parse(JSON.parse(line)),
    catch: (error) => (error instanceof SyntaxError ? "it is not JSON" : "it is not a message of JSON-RPC 2.0")
  })

/** Lines of a text that arrives in pieces. */
const lines = <E>(pieces: Stream.Stream<string, E>): Stream.Stream<string, E> =>
  Stream.suspend(() => {
    let rest = ""
    let isTooLong = false
    return pieces.pipe(
      Stream.map((piece) => {
        const found = (isTooLong ? piece : rest + piece).split("\n")
        rest = found.pop() ?? ""
        // The end of a line that was too long is not a line.
        const whole = isTooLong && found.length > 0 ? found.slice(1) : isTooLong ? [] : found
        isTooLong = (isTooLong && found.length === 0) || rest.length > maxLineLength
        if (isTooLong) rest = ""
        return whole
      }),
      Stream.flattenIterable,
      // What the input ends with is a line, too.
      Stream.concat(Stream.sync(() => rest)),
      Stream.filter((line) => line.trim() !== "")
    )
  })

/** Requests that were received and not answered yet. */
interface Pending {
  readonly add: () => void
  readonly remove: () => void
  /** Completes when there are none. */
  readonly none: Effect.Effect<void>
}

const makePending = (): Pending => {
  let count = 0
  let waiting: Deferred.Deferred<void> | null = null
  return {
    add: () => {
      count += 1
    },
    remove: () => {
      count -= 1
      if (count <= 0 && waiting !== null) Deferred.doneUnsafe(waiting, Effect.void)
    },
    none: Effect.suspend(() => {
      if (count <= 0) return Effect.void
      waiting ??= Deferred.makeUnsafe()
      return Deferred.await(waiting)
    })
  }
}

/** Serves the tools until the input ends, and answers what was asked before that. Fails when nobody reads. */
export const serve = (host: ToolHost): Effect.Effect<void, PlatformError, Stdio.Stdio> =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    const answers = yield* Queue.bounded<string, Cause.Done>(maxAnswers)
    const pending = makePending()
    const run = Effect.runPromiseWith(yield* Effect.context<never>())
    const transport: Transport = {
      start: () => Promise.resolve(),
      send: async (message) => {
        await run(Queue.offer(answers, `${JSON.stringify(message)}\n`))
        if (!("method" in message)) pending.remove()
      },
      close: () => {
        transport.onclose?.()
        return Promise.resolve()
      }
    }
    yield* ToolProtocol.serve(host, transport)
    const writing = yield* Stream.fromQueue(answers).pipe(Stream.run(stdio.stdout()), Effect.forkScoped)
    const reading = lines(Stream.decodeText(stdio.stdin)).pipe(
      Stream.runForEach((line) => {
        const message = messageOf(line)
        if (Result.isFailure(message)) {
          return Effect.logWarning(`a line on standard input was ignored: ${message.failure}`)
        }
        return Effect.sync(() => {
          if ("method" in message.success && "id" in message.success) pending.add()
          transport.onmessage?.(message.success)
        })
      })
    )
    const answering = Effect.gen(function* () {
      yield* reading
      yield* Effect.timeoutOption(pending.none, drainTimeoutMs)
      yield* Queue.end(answers)
      yield* Effect.timeoutOption(Fiber.join(writing), drainTimeoutMs)
    })
    yield* Effect.raceFirst(answering, Fiber.join(writing))
  }).pipe(Effect.scoped)
