/** Delays before another try. All are milliseconds and plain arithmetic. */
import type { Policy } from "../domain/Policy.ts"

export const continuationDelayMs = 1_000

const firstRetryMs = 10_000

/** `min(10 s * 2^(failures-1), agent.max_retry_backoff_ms)`; the power cannot overflow. */
export const retryDelayMs = (failures: number, policy: Policy): number =>
  Math.min(firstRetryMs * 2 ** Math.min(Math.max(0, failures - 1), 40), policy.maxRetryBackoffMs)

/** After the n-th tracker failure in a row: 1 s, 2 s, 4 s, ... but never longer than a poll. */
export const trackerDelayMs = (failures: number, policy: Policy): number =>
  Math.min(1_000 * 2 ** Math.min(Math.max(0, failures - 1), 40), policy.pollIntervalMs)

const minuteMs = 60_000
const hourMs = 3_600_000
const longestUsageLimitMs = 7 * 24 * hourMs

/** How long a usage limit closes the runtime's gate: until the named instant, else 1 minute doubled per repeat. */
export const usageLimitMs = (untilWallMs: number | null, wallTime: number, repeats: number): number =>
  untilWallMs !== null && untilWallMs > wallTime
    ? Math.min(untilWallMs - wallTime, longestUsageLimitMs)
    : Math.min(minuteMs * 2 ** Math.min(repeats, 20), hourMs)

/** How long a rate-limited tracker is left alone: until the instant it named, at most an hour; else as above. */
export const rateLimitMs = (retryAtWallMs: number | null, wallTime: number, repeats: number): number =>
  Math.min(usageLimitMs(retryAtWallMs, wallTime, repeats), hourMs)

/** Between tries to remove a workspace: 10 s, 20 s, ... up to 10 minutes. */
export const removalDelayMs = (attempts: number): number =>
  Math.min(firstRetryMs * 2 ** Math.min(Math.max(0, attempts - 1), 20), 10 * minuteMs)

/** A workspace that was kept on evidence is looked at again after this. */
export const keptRecheckMs = hourMs
