/** Keeps the screen, and with it the machine, awake while `work` runs, as far as the browser allows. */
export async function keepAwake<T>(work: () => Promise<T>): Promise<T> {
  if (!('wakeLock' in navigator)) return work();
  const held = new Set<WakeLockSentinel>();
  let over = false;
  // Browsers give the lock to visible pages only, and take it back whenever the page is hidden.
  const hold = async (): Promise<void> => {
    if (document.visibilityState !== 'visible') {
      held.clear();
      return;
    }
    try {
      const given = await navigator.wakeLock.request('screen');
      if (over) await given.release();
      else held.add(given);
    } catch {
      // Battery saving or a policy forbids it: the work goes on all the same.
    }
  };
  const onVisibility = (): void => void hold();
  document.addEventListener('visibilitychange', onVisibility);
  void hold();
  try {
    return await work();
  } finally {
    over = true;
    document.removeEventListener('visibilitychange', onVisibility);
    for (const lock of held) await lock.release().catch(() => undefined);
  }
}
