/** The lock of a conversation's state: first come, first served, held while a tool runs. */
export interface StateLock {
  readonly hold: <A>(body: () => A | Promise<A>) => Promise<A>
}

/** A lock nobody holds. */
export const make = (): StateLock => {
  let tail: Promise<unknown> = Promise.resolve()
  return {
    hold: (body) => {
      const held = tail.then(() => body())
      tail = held.catch(() => undefined)
      return held
    }
  }
}
