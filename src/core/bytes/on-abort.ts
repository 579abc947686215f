const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` when the signal fires, at once when it has. However many wait for one signal, it gets a single listener:
 * platforms take many for a leak, and a checkpoint is read by many requests under one signal.
 * @returns what ends the waiting.
 */
export function onAbort(signal: AbortSignal | undefined, stop: () => void): () => void {
  if (signal === undefined) return () => undefined;
  if (signal.aborted) {
    stop();
    return () => undefined;
  }
  let all = waiting.get(signal);
  if (all === undefined) {
    const stops = new Set<() => void>();
    signal.addEventListener('abort', () => stops.forEach((each) => void each()), { once: true });
    waiting.set(signal, stops);
    all = stops;
  }
  const stops = all;
  // Two waits with one function are two.
  const entry = (): void => stop();
  stops.add(entry);
  return () => void stops.delete(entry);
}
