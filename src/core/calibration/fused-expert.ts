import type { FusedOrientation } from '../checkpoint/fused-experts.ts';
import type { WeightCut } from './weight-stack.ts';

/** How one expert lies in a fused tensor. */
export interface FusedLayout {
  readonly hiddenSize: number;
  readonly innerSize: number;
  readonly orientation: FusedOrientation;
  /** Gate and up take turns instead of lying one after the other. */
  readonly interleaved: boolean;
}

/** Where the parts of one fused expert lie: gate and up [I, H] and their biases [I, 1] in gate_up, down [H, I], its bias [H, 1]. */
export interface FusedCuts {
  readonly gate: WeightCut;
  readonly up: WeightCut;
  readonly down: WeightCut;
  readonly gateBias: WeightCut;
  readonly upBias: WeightCut;
  readonly downBias: WeightCut;
}

/** Cuts of gate_up [2I, H] (or [H, 2I]), down [H, I] (or [I, H]), and the biases [2I] and [H]. */
export function fusedCuts({ hiddenSize, innerSize, orientation, interleaved }: FusedLayout): FusedCuts {
  const rows = 2 * innerSize;
  const step = interleaved ? 2 : 1;
  const half = (which: 0 | 1): WeightCut => {
    const row = interleaved ? which : which * innerSize;
    const size = { numbers: rows * hiddenSize, rows: innerSize, columns: hiddenSize };
    return orientation === 'out-in'
      ? { ...size, first: row * hiddenSize, rowStride: step * hiddenSize, columnStride: 1 }
      : { ...size, first: row, rowStride: step, columnStride: rows };
  };
  const biasHalf = (which: 0 | 1): WeightCut => ({
    numbers: rows,
    rows: innerSize,
    columns: 1,
    first: interleaved ? which : which * innerSize,
    rowStride: step,
    columnStride: 1,
  });
  const down = { numbers: hiddenSize * innerSize, rows: hiddenSize, columns: innerSize, first: 0 };
  return {
    gate: half(0),
    up: half(1),
    down:
      orientation === 'out-in'
        ? { ...down, rowStride: innerSize, columnStride: 1 }
        : { ...down, rowStride: 1, columnStride: hiddenSize },
    gateBias: biasHalf(0),
    upBias: biasHalf(1),
    downBias: { numbers: hiddenSize, rows: hiddenSize, columns: 1, first: 0, rowStride: 1, columnStride: 1 },
  };
}
