/** What can go wrong between us and the agent-server, by what a caller can do about it. */
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Data from "effect/Data"

export type ApiProblem =
  /** Refused, reset, or the answer was cut off: the request may or may not have arrived. */
  | "unreachable"
  /** No answer in time: the request may still be carried out. */
  | "timeout"
  /** 401, 403: the session key is wrong. */
  | "unauthorized"
  /** 404: no such conversation, or no such operation. */
  | "missing"
  /** 409: it is running already. */
  | "conflict"
  /** 429: the server's own limit of runs is reached. */
  | "capacity"
  /** Other 4xx: the request is at fault and will be the next time. */
  | "refused"
  /** 5xx, or an answer that makes no sense. */
  | "broken"

/** A call of the agent-server's REST interface failed. */
export class ApiError extends Data.TaggedError("ApiError")<{
  /** What was asked: `create conversation`. */
  readonly operation: string
  readonly problem: ApiProblem
  /** Null when there was no answer. */
  readonly status: number | null
  /** What the server said, bounded and without secrets. */
  readonly detail: string
}> {
  override get message(): string {
    const status = this.status === null ? this.problem : `status ${this.status}`
    return `the OpenHands agent-server could not ${this.operation} (${status})${this.detail === "" ? "" : `: ${this.detail}`}`
  }
}

const mend: { readonly [problem in ApiProblem]: string } = {
  unreachable: "check that it runs and that openhands.transport.base_url is right",
  timeout: "check its load and its log",
  unauthorized: "check the session key that openhands.transport.session_api_key_env names",
  missing: "check its version",
  conflict: "see what runs there",
  capacity: "raise its OH_MAX_CONCURRENT_RUNS or lower agent.max_concurrent_agents",
  refused: "check the openhands section of the workflow",
  broken: "look into its log"
}

/** `unavailable`: the server is down for everybody, so no issue is to blame. */
export const toRuntimeError = (error: ApiError, unavailable: boolean): RuntimeError =>
  new RuntimeError({ message: `${error.message}; ${mend[error.problem]}`, unavailable })

/** Whether the request may have been carried out although it failed. */
export const isUncertain = ({ problem }: ApiError): boolean =>
  problem === "unreachable" || problem === "timeout" || problem === "broken"
