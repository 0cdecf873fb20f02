/** What a local server is started with, and how patient its supervisor is. */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"

/** Milliseconds. */
export interface Patience {
  /** Between two looks at a server that answers. */
  readonly probeIntervalMs: number
  /** Between two looks at one that did not answer, or is not ready yet. */
  readonly probeAgainMs: number
  /** Of one answer. */
  readonly answerMs: number
  /** A server that answered nothing for so long is started anew, which ends the turns that run on it. */
  readonly unresponsiveMs: number
  /** Before the first restart; doubled each time. */
  readonly firstRestartMs: number
  readonly longestRestartMs: number
  /** A server that worked for so long is given the short delay again. */
  readonly steadyMs: number
  /** TERM comes at once when a server must go, KILL this much later: it saves its conversations meanwhile. */
  readonly killAfterMs: number
  /** How much longer than a start may take somebody waits who needs the server: an old one may have to end first. */
  readonly graceMs: number
}

export const usualPatience: Patience = {
  probeIntervalMs: 10_000,
  probeAgainMs: 1_000,
  answerMs: 10_000,
  unresponsiveMs: 120_000,
  firstRestartMs: 1_000,
  longestRestartMs: 60_000,
  steadyMs: 120_000,
  killAfterMs: 10_000,
  graceMs: 20_000
}

export interface LocalServerOptions {
  readonly settings: OpenHandsSettings
  /** This process's environment: a small part of it is passed on, and what the settings name is looked up in it. */
  readonly environment: Environment
  /** Absolute; a directory of our own, such as `<workspace root>/.opensymphony/openhands`. */
  readonly stateDirectory: string
  /** Takes secrets out of texts that people read. */
  readonly redact: (text: string) => string
  /** For tests; {@link usualPatience} otherwise. */
  readonly patience?: Partial<Patience>
}
