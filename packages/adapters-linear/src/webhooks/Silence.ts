/**
 * When the absence of deliveries is a fault. A quiet project has nothing to deliver, so time alone says nothing; but a
 * poll that finds a change which no delivery announced, several times in a row, says that deliveries do not arrive.
 */

/** One or two may be deliveries that are late. */
export const missesUntilSilent = 3

export interface Silence {
  /** Polls in a row that found something new without a delivery since the one before. */
  readonly misses: number
  readonly isDeliveredSince: boolean
  /** Whether it was reported and nothing arrived since. */
  readonly isReported: boolean
}

export const none: Silence = { misses: 0, isDeliveredSince: false, isReported: false }

/** After an accepted delivery. */
export const delivered: Silence = { misses: 0, isDeliveredSince: true, isReported: false }

/** After a poll that found something new. */
export const polled = (self: Silence): Silence => (self.isDeliveredSince ? none : { ...self, misses: self.misses + 1 })

/** Whether it is time to say that deliveries do not arrive. */
export const isDue = (self: Silence): boolean => self.misses >= missesUntilSilent && !self.isReported

export const reported = (self: Silence): Silence => ({ ...self, isReported: true })
