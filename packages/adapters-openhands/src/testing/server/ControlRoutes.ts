/** The fake's controls over HTTP, below `/control/`, for a test or a demonstration in another process. */
import { asRecord, type LocalRequest, parseJson } from "../LocalServer.ts"
import type { Fault } from "./Faults.ts"
import * as Reply from "./Reply.ts"
import type { TurnRule } from "./TurnScript.ts"

/** What can be controlled from outside. */
export interface Controls {
  readonly script: (...rules: ReadonlyArray<TurnRule>) => void
  readonly clearScripts: () => void
  readonly fault: (fault: Fault) => void
  readonly clearFaults: (id?: string) => void
  readonly faults: () => ReadonlyArray<Fault>
  readonly setVersion: (version: string) => void
  readonly setReady: (ready: boolean) => void
  readonly cutSockets: (conversation?: string) => void
  readonly crash: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly restart: () => Promise<void>
  readonly requests: () => ReadonlyArray<{ readonly method: string; readonly path: string; readonly status: number }>
}

/** Answers a control request; `undefined` when the path is not one of these. */
export const answer = async (request: LocalRequest, controls: Controls): Promise<Reply.Reply | undefined> => {
  if (!request.path.startsWith("/control/")) return undefined
  const body = parseJson(request.body)
  const fields = asRecord(body)
  switch (`${request.method} ${request.path.slice("/control/".length)}`) {
    case "POST scripts":
      controls.script(...((Array.isArray(body) ? body : [body]) as ReadonlyArray<TurnRule>))
      return Reply.success
    case "DELETE scripts":
      controls.clearScripts()
      return Reply.success
    case "GET faults":
      return Reply.ok(controls.faults())
    case "POST faults":
      for (const fault of (Array.isArray(body) ? body : [body]) as ReadonlyArray<Fault>) controls.fault(fault)
      return Reply.success
    case "DELETE faults":
      controls.clearFaults(request.query.get("id") ?? undefined)
      return Reply.success
    case "POST version":
      controls.setVersion(String(fields["version"]))
      return Reply.success
    case "POST ready":
      controls.setReady(fields["ready"] === true)
      return Reply.success
    case "POST cut":
      controls.cutSockets(typeof fields["conversation"] === "string" ? fields["conversation"] : undefined)
      return Reply.success
    case "POST crash":
      await controls.crash()
      return Reply.success
    case "POST stop":
      await controls.stop()
      return Reply.success
    case "POST restart":
      await controls.restart()
      return Reply.success
    case "GET requests":
      return Reply.ok(controls.requests())
    default:
      return Reply.notFound(`There is no control ${request.method} ${request.path}.`)
  }
}
