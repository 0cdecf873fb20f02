/**
 * What a version of the agent-server can do, as far as a client notices. The boundaries are the first release that
 * carries the thing.
 */
export interface Features {
  readonly healthIsObject: boolean
  readonly resendMode: boolean
  readonly tags: boolean
  readonly finalResponse: boolean
  readonly firstMessageAuth: boolean
  readonly fork: boolean
  readonly switchLlm: boolean
  /** A switched LLM replaces the one that is known under its usage id; before, it is dropped. */
  readonly switchReplaces: boolean
  readonly interrupt: boolean
  readonly errorId: boolean
  readonly unreadableSkipped: boolean
  /** MCP servers as a flat map; before, wrapped in `mcpServers`. */
  readonly flatMcp: boolean
  readonly classification: boolean
  /** A page limit above 100 is refused as invalid; before, it is an internal error. */
  readonly limitChecked: boolean
  /** More runs than the server has slots for are refused. */
  readonly runLimit: boolean
  /** Events can be searched by their bare kind. */
  readonly bareKindFilter: boolean
}

/** The version that the fake imitates unless told otherwise. */
export const DEFAULT_VERSION = "1.57.0"

/** Features by version number. */
export const featuresOf = (version: string): Features => {
  const from = (first: string) => compare(version, first) >= 0
  return {
    resendMode: from("1.15.0"),
    tags: from("1.16.0"),
    finalResponse: from("1.17.0"),
    fork: from("1.18.0"),
    firstMessageAuth: from("1.18.1"),
    switchLlm: from("1.19.1"),
    healthIsObject: from("1.21.0"),
    interrupt: from("1.23.0"),
    errorId: from("1.27.0"),
    unreadableSkipped: from("1.29.2"),
    flatMcp: from("1.31.2"),
    classification: from("1.40.0"),
    limitChecked: from("1.44.0"),
    runLimit: from("1.44.0"),
    bareKindFilter: from("1.44.0"),
    switchReplaces: from("1.44.0")
  }
}

const compare = (left: string, right: string): number => {
  const numbers = (text: string) => text.split(".").map((part) => Number.parseInt(part, 10) || 0)
  const [a, b] = [numbers(left), numbers(right)]
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
