// A fake agent-server in a process of its own, from where it is measured.
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Answers, Order, Orders } from "./OpenHandsServer.ts"

export interface ServerProcess {
  readonly url: string
  readonly sessionKey: string
  /** Tells the server to do something, and waits until it is done. */
  readonly tell: <Name extends Order>(name: Name, order: Orders[Name]) => Effect.Effect<Answers[Name]>
}

const program = fileURLToPath(new URL("./OpenHandsServer.ts", import.meta.url))
const sessionKey = "session-key-of-the-benchmark"

/** It keeps all that was ever said in its log. */
const heapMb = 6_000

type Reply = { readonly id: number; readonly answer?: never; readonly error?: string }

const start = (): Promise<{ readonly child: ChildProcess; readonly server: ServerProcess }> =>
  new Promise((resolve, reject) => {
    const child = fork(program, {
      execArgv: ["--conditions=opensymphony-src", `--max-old-space-size=${heapMb}`],
      env: { ...process.env, SESSION_KEY: sessionKey }
    })
    const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>()
    let orders = 0
    const fail = (error: Error) => {
      reject(error)
      for (const order of waiting.values()) order.reject(error)
    }
    const tell: ServerProcess["tell"] = (name, order) =>
      Effect.promise(
        () =>
          new Promise((resolve, reject) => {
            const id = ++orders
            waiting.set(id, { resolve, reject })
            child.send({ id, name, order })
          })
      )
    child.once("error", fail)
    child.once("exit", (code) => fail(new Error(`the fake agent-server ended with ${code}`)))
    child.once("message", (hello) => {
      const { url } = hello as { readonly url: string }
      child.on("message", (message) => {
        const { answer, error, id } = message as Reply
        const order = waiting.get(id)
        waiting.delete(id)
        if (error === undefined) order?.resolve(answer as never)
        else order?.reject(new Error(error))
      })
      resolve({ child, server: { url, sessionKey, tell } })
    })
  })

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.removeAllListeners("exit")
    child.once("exit", () => resolve())
    child.disconnect()
  })

/** A server that lives as long as the scope. */
export const make: Effect.Effect<ServerProcess, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(Effect.promise(start), ({ child }) => Effect.promise(() => end(child))),
  ({ server }) => server
)
