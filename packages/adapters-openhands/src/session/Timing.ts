/** How long things are waited for, in milliseconds. Tests shorten them; nobody else needs to. */
export interface Timing {
  /** Between two looks at a conversation over REST while its socket is silent. */
  readonly silentPollMs: number
  /** Between two looks while there is no socket, or while a status waits for confirmation. */
  readonly pollMs: number
  /** How long the status over REST must stay the same until it counts, when no closing frame comes. */
  readonly settleMs: number
  /** The same for `finished` where stop hooks may turn it back. */
  readonly hooksSettleMs: number
  /** How long a run may show no sign until it is started again. */
  readonly lostRunMs: number
  /** How long "already running" is believed of a conversation that does not run. */
  readonly wedgeMs: number
  /** How long the server's own limit of runs is waited out. */
  readonly capacityMs: number
  /** How long a message whose answer was lost is looked for. */
  readonly readBackMs: number
  /** How long a server that cannot be reached is waited for in the middle of a turn. */
  readonly outageMs: number
}

export const defaults: Timing = {
  silentPollMs: 10_000,
  pollMs: 1_500,
  settleMs: 3_000,
  hooksSettleMs: 30_000,
  lostRunMs: 15_000,
  wedgeMs: 45_000,
  capacityMs: 60_000,
  readBackMs: 180_000,
  outageMs: 300_000
}
