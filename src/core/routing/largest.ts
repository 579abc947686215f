import { StudioError } from '../base/errors.ts';

/** Writes the K largest of `values` into `best` and their places into `places`, falling, the lower place first among equals. */
export function chooseLargest(values: Float64Array, best: Float64Array, places: Int32Array): void {
  const last = best.length - 1;
  let filled = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    if (filled > last && !(value > (best[last] ?? 0))) continue;
    let rank = filled > last ? last : filled++;
    for (; rank > 0 && value > (best[rank - 1] ?? 0); rank--) {
      best[rank] = best[rank - 1] ?? 0;
      places[rank] = places[rank - 1] ?? 0;
    }
    best[rank] = value;
    places[rank] = at;
  }
}

/** @throws StudioError calibration/non-finite-logits naming token and expert. */
export function requireFinite(logits: Float32Array, row: number, width: number, token: number): void {
  // Zero times anything finite is zero, and NaN stays NaN: one addition per logit tells.
  let sum = 0;
  for (let expert = 0; expert < width; expert++) sum += (logits[row + expert] ?? 0) * 0;
  if (sum === 0) return;
  const expert = logits.subarray(row, row + width).findIndex((value) => !Number.isFinite(value));
  throw new StudioError(
    'calibration',
    'non-finite-logits',
    `The router's logit of token ${token} for expert ${expert} is ${logits[row + expert]}, not a finite number.`,
    {
      nextStep:
        'Check that the checkpoint is whole (its weights may hold NaN), or run on another backend: half precision can overflow.',
      details: { token, expert },
    },
  );
}
