// What a series of measurements comes down to.

/** The value below which `share` (0..1) of the samples lie, by nearest rank. */
export function percentile(samples: ReadonlyArray<number>, share: number): number {
  if (samples.length === 0) throw new Error("no samples")
  const sorted = samples.toSorted((self, that) => self - that)
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)))
  return sorted[rank - 1] ?? Number.NaN
}

export const median = (samples: ReadonlyArray<number>): number => percentile(samples, 0.5)

export const smallest = (samples: ReadonlyArray<number>): number => percentile(samples, 0)
