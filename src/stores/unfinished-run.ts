import type { CheckpointSummary } from '../core/checkpoint/summary.ts';

/**
 * A note for the next visit that a run of this model stopped half-way. The finished layers themselves are journaled by
 * the worker; without storage only the hint is lost.
 */
const PREFIX = 'reap-studio.unfinished.';

export function noteUnfinished({ fingerprint }: CheckpointSummary, layers: number): void {
  try {
    localStorage.setItem(PREFIX + fingerprint, String(layers));
  } catch {
    // Storage is full or refused: see above.
  }
}

export function forgetUnfinished({ fingerprint }: CheckpointSummary): void {
  try {
    localStorage.removeItem(PREFIX + fingerprint);
  } catch {
    // See above.
  }
}

/** Layers that an earlier run of this model had finished when it stopped; 0 when there was none. */
export function unfinishedLayers({ fingerprint }: CheckpointSummary): number {
  try {
    const layers = Number(localStorage.getItem(PREFIX + fingerprint));
    return Number.isInteger(layers) && layers > 0 ? layers : 0;
  } catch {
    return 0;
  }
}
