/** What the contract is held against: a server that speaks it, and how to make its agent do things. */
import type { ModelScript } from "../../src/testing/model/ModelScript.ts"

export interface Subject {
  readonly url: () => string
  readonly key: string
  /** The agent's LLM as a create request names it. */
  readonly llm: () => Readonly<Record<string, unknown>>
  /** A directory that no other case uses. */
  readonly workspace: () => string
  /** Makes the agent answer messages that contain the script's marker. */
  readonly script: (script: ModelScript) => void
  /** Ends the server and starts it again on the same port with the same state. */
  readonly restart: (signal: "SIGTERM" | "SIGKILL") => Promise<void>
  readonly close: () => Promise<void>
}

/** One promise of the contract. */
export interface ContractCase {
  readonly name: string
  readonly run: (subject: Subject) => Promise<void>
}
