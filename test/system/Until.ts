// Waits for a condition, never longer than a limit.

const intervalMs = 15

export interface UntilOptions {
  readonly timeoutMs?: number
  /** Told when the limit is reached: what a reader needs to see why. */
  readonly context?: () => string
}

/** Asks again and again until the answer is neither undefined, null nor false, and returns it. */
export async function until<A>(
  what: string,
  ask: () => A | undefined | null | false,
  options: UntilOptions = {}
): Promise<A> {
  const { context, timeoutMs = 20_000 } = options
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = ask()
    if (answer !== undefined && answer !== null && answer !== false) return answer
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}${context === undefined ? "" : `\n${context()}`}`)
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs))
  }
}
