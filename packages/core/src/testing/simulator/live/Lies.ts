/** How the adapters of a live world break their contracts, to show what the checkers find. */
export interface Lies {
  /** A stop that the runtime confirms ends nothing: the agent goes on. */
  readonly stopsInWordsOnly?: boolean
  /** The runtime starts two agents where one was asked for. */
  readonly startsTwoAgents?: boolean
  /** The run store says that it has kept what it has not. */
  readonly storeForgets?: boolean
}
