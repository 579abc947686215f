import { StudioError } from '../base/errors.ts';

/** Which experts each token goes to and with what weight. */
export interface Routing {
  /** [T×K] expert indices, per token by falling logit; equal logits in the order of their indices. */
  readonly selected: Int32Array;
  /** [T×K] gates, in the order of `selected`. */
  readonly gates: Float32Array;
}

export interface RouteOptions {
  /** Divide the K gates of a token by their sum. */
  readonly renormalise: boolean;
  /** Experts that take no part, neither in the choice nor in the softmax: a set of indices, or [E] with non-zero = out. */
  readonly dropped?: ReadonlySet<number> | Uint8Array;
}

/**
 * The router of the softmax family: softmax over all experts that take part, the K largest chosen.
 *
 * @param logits [T, E] row-major, raw router outputs.
 * @returns selected and gates, [T×K]; computed in f64, gates rounded to f32 once at the end.
 * @throws StudioError calibration/non-finite-logits naming token and expert; the layer is for the caller to add.
 * @throws StudioError plan/fewer-than-top-k when fewer than K experts take part.
 * @throws RangeError when the sizes contradict each other.
 */
export function route(
  logits: Float32Array,
  tokens: number,
  experts: number,
  topK: number,
  options: RouteOptions,
): Routing {
  if (logits.length !== tokens * experts) {
    throw new RangeError(`${logits.length} logits are not ${tokens} tokens × ${experts} experts`);
  }
  const taking = takingPart(experts, options.dropped);
  requireTopK(taking.length, topK);

  const selected = new Int32Array(tokens * topK);
  const gates = new Float32Array(tokens * topK);
  const best = new Float64Array(topK);
  for (let token = 0; token < tokens; token++) {
    const row = token * experts;
    const out = token * topK;
    chooseLargest(logits, row, taking, best, selected, out);
    requireFinite(logits, row, experts, token);

    const largest = best[0] ?? 0;
    // The denominator of the softmax cancels when the gates are divided by their sum: K exponentials are enough then.
    let total = 0;
    if (options.renormalise) {
      for (let rank = 0; rank < topK; rank++) total += Math.exp((best[rank] ?? 0) - largest);
    } else {
      for (let at = 0; at < taking.length; at++) total += Math.exp((logits[row + (taking[at] ?? 0)] ?? 0) - largest);
    }
    for (let rank = 0; rank < topK; rank++) gates[out + rank] = Math.exp((best[rank] ?? 0) - largest) / total;
  }
  return { selected, gates };
}

/** Ascending indices of the experts that are not dropped. */
function takingPart(experts: number, dropped: RouteOptions['dropped']): Int32Array {
  const indices: number[] = [];
  for (let expert = 0; expert < experts; expert++) {
    const out = dropped instanceof Uint8Array ? dropped[expert] !== 0 : dropped?.has(expert) === true;
    if (!out) indices.push(expert);
  }
  return Int32Array.from(indices);
}

function requireTopK(available: number, topK: number): void {
  if (topK >= 1 && available >= topK) return;
  throw new StudioError(
    'plan',
    'fewer-than-top-k',
    `Each token needs ${topK} experts, but only ${available} are left.`,
    {
      nextStep: `Keep at least ${topK} experts in every layer: choose a smaller compression ratio.`,
      details: { topK, available },
    },
  );
}

/** Writes the K largest of a row into `best` and `selected`, falling, the lower index first among equals. */
function chooseLargest(
  logits: Float32Array,
  row: number,
  taking: Int32Array,
  best: Float64Array,
  selected: Int32Array,
  out: number,
): void {
  const last = best.length - 1;
  let filled = 0;
  for (let at = 0; at < taking.length; at++) {
    const expert = taking[at] ?? 0;
    const value = logits[row + expert] ?? 0;
    if (filled > last && !(value > (best[last] ?? 0))) continue;
    let rank = filled > last ? last : filled++;
    for (; rank > 0 && value > (best[rank - 1] ?? 0); rank--) {
      best[rank] = best[rank - 1] ?? 0;
      selected[out + rank] = selected[out + rank - 1] ?? 0;
    }
    best[rank] = value;
    selected[out + rank] = expert;
  }
}

function requireFinite(logits: Float32Array, row: number, experts: number, token: number): void {
  // Zero times anything finite is zero, and NaN stays NaN: one addition per logit tells.
  let sum = 0;
  for (let expert = 0; expert < experts; expert++) sum += (logits[row + expert] ?? 0) * 0;
  if (sum === 0) return;
  const expert = logits.subarray(row, row + experts).findIndex((value) => !Number.isFinite(value));
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
