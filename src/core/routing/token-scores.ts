import { StudioError } from '../base/errors.ts';
import type { Router } from './router.ts';

/** @throws StudioError calibration/non-finite-logits naming token and expert. */
function requireFinite(logits: Float32Array, token: number, width: number): void {
  const row = logits.subarray(token * width, (token + 1) * width);
  const expert = row.findIndex((value) => !Number.isFinite(value));
  if (expert < 0) return;
  throw new StudioError(
    'calibration',
    'non-finite-logits',
    `The router's logit of token ${token} for expert ${expert} is ${row[expert]}, not a finite number.`,
    {
      nextStep:
        'Check that the checkpoint is whole (its weights may hold NaN), or run on another backend: half precision can overflow.',
      details: { token, expert },
    },
  );
}

/**
 * Copies one token's logits of the experts that take part; those that do not are looked at as well.
 * @throws StudioError calibration/non-finite-logits naming token and expert.
 */
export function readLogits(
  logits: Float32Array,
  token: number,
  width: number,
  taking: Int32Array,
  into: Float64Array,
): void {
  const row = token * width;
  // Zero times anything finite is zero, and NaN stays NaN: one addition per logit tells.
  let sum = 0;
  for (let at = 0; at < into.length; at++) {
    const logit = logits[row + (taking[at] ?? 0)] ?? 0;
    into[at] = logit;
    sum += logit * 0;
  }
  if (sum !== 0 || into.length < width) requireFinite(logits, token, width);
}

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

/** σ(logit). */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** Turns the chosen scores of one token into its gates: divided by their sum where the router says so, scaled last. */
export function writeGates(router: Router, chosen: Float64Array, gates: Float32Array, from: number): void {
  const { renormalise, scale, sumEpsilon, sumFloor } = router;
  let divisor = 1;
  if (renormalise) {
    let sum = 0;
    for (let rank = 0; rank < chosen.length; rank++) sum += chosen[rank] ?? 0;
    divisor = Math.max(sum + sumEpsilon, sumFloor);
  }
  for (let rank = 0; rank < chosen.length; rank++) gates[from + rank] = ((chosen[rank] ?? 0) / divisor) * scale;
}
