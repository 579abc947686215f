import type { FusedOrientation } from '../checkpoint/fused-experts.ts';

/** How one expert lies in a fused tensor. */
export interface FusedLayout {
  readonly hiddenSize: number;
  readonly innerSize: number;
  readonly orientation: FusedOrientation;
  /** Gate and up take turns instead of lying one after the other. */
  readonly interleaved: boolean;
}

/** One expert as the expert graph wants it: gate and up [I, H], down [H, I], biases [I] and [H]; all row-major f32. */
export interface FusedExpert {
  readonly gate: Float32Array<ArrayBuffer>;
  readonly up: Float32Array<ArrayBuffer>;
  readonly down: Float32Array<ArrayBuffer>;
  readonly gate_bias: Float32Array<ArrayBuffer> | undefined;
  readonly up_bias: Float32Array<ArrayBuffer> | undefined;
  readonly down_bias: Float32Array<ArrayBuffer> | undefined;
}

/** Rows of the fused projection that belong to gate (0) or up (1). */
function rowOf(layout: FusedLayout, row: number, which: 0 | 1): number {
  return layout.interleaved ? 2 * row + which : row + which * layout.innerSize;
}

/** [rows, columns] from its transpose, or as it is; row r of the result is row `pick(r)` of the source's rows. */
function arranged(
  source: Float32Array,
  rows: number,
  columns: number,
  sourceRows: number,
  orientation: FusedOrientation,
  pick: (row: number) => number,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const from = pick(row);
    if (orientation === 'out-in') result.set(source.subarray(from * columns, (from + 1) * columns), row * columns);
    else
      for (let column = 0; column < columns; column++)
        result[row * columns + column] = source[column * sourceRows + from] ?? 0;
  }
  return result;
}

/**
 * Cuts one expert's gate_up [2I, H] (or [H, 2I]) and down [H, I] (or [I, H]) into the projections.
 * @throws RangeError when the sizes contradict the layout.
 */
export function unfuse(
  layout: FusedLayout,
  expert: {
    readonly gateUp: Float32Array;
    readonly down: Float32Array;
    readonly gateUpBias: Float32Array | undefined;
    readonly downBias: Float32Array<ArrayBuffer> | undefined;
  },
): FusedExpert {
  const { hiddenSize, innerSize, orientation } = layout;
  const { gateUp, down, gateUpBias } = expert;
  if (gateUp.length !== 2 * innerSize * hiddenSize || down.length !== innerSize * hiddenSize) {
    throw new RangeError(
      `fused experts of ${gateUp.length} and ${down.length} numbers are not ${innerSize} × ${hiddenSize}`,
    );
  }
  const half = (which: 0 | 1): Float32Array<ArrayBuffer> =>
    arranged(gateUp, innerSize, hiddenSize, 2 * innerSize, orientation, (row) => rowOf(layout, row, which));
  const biasHalf = (which: 0 | 1): Float32Array<ArrayBuffer> | undefined =>
    gateUpBias === undefined
      ? undefined
      : Float32Array.from({ length: innerSize }, (_, row) => gateUpBias[rowOf(layout, row, which)] ?? 0);
  return {
    gate: half(0),
    up: half(1),
    down: arranged(down, hiddenSize, innerSize, hiddenSize, orientation, (row) => row),
    gate_bias: biasHalf(0),
    up_bias: biasHalf(1),
    down_bias: expert.downBias,
  };
}
