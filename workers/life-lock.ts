/**
 * Holds a lock for as long as this worker lives and tells the page its name. A worker that closes itself, or that the
 * browser ends, raises no event in the page; its locks, however, are set free.
 */
export function announceLife(): void {
  if (!('locks' in navigator)) return;
  const lifeLock = `worker ${performance.timeOrigin} ${Math.random()}`;
  void navigator.locks.request(lifeLock, () => {
    self.postMessage({ lifeLock });
    return new Promise<never>(() => {});
  });
}
