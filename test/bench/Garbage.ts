// The heap, and when it is cleaned up.

/** Collects garbage, so that what follows does not pay for what came before. Needs `--expose-gc`. */
export function collect(): void {
  if (globalThis.gc === undefined) throw new Error("start it with `npm run bench`, which passes --expose-gc to node")
  globalThis.gc()
}

const neverNotified = new Int32Array(new SharedArrayBuffer(4))

/**
 * Collects garbage and waits until the collector's background threads are through, which would otherwise take
 * processors and memory bandwidth from what is measured.
 */
export function collectAndRest(ms: number): void {
  collect()
  Atomics.wait(neverNotified, 0, 0, ms)
}

/** Bytes in use on the heap, without garbage. */
export function heapUsed(): number {
  collect()
  // Again: the first round lets finalizers run and empties caches that hold on weakly.
  collect()
  return process.memoryUsage().heapUsed
}
