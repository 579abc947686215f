import type { LoadedWeight } from '../checkpoint/read-weights.ts';
import { decodeWeight } from '../quantisation/decode-weight.ts';

/** A matrix inside a decoded weight: number (r, c) is the weight's number first + r · rowStride + c · columnStride. */
export interface WeightCut {
  readonly rows: number;
  readonly columns: number;
  readonly first: number;
  readonly rowStride: number;
  readonly columnStride: number;
  /** Numbers that the whole weight has. */
  readonly numbers: number;
}

/** Weights of one shape that become one tensor: [n, ...shape], or [n, rows, columns] of the same cut out of each. */
export interface WeightStack {
  readonly weights: readonly LoadedWeight[];
  readonly cut?: WeightCut;
}

/** One use of a weight: where the numbers of `cut`, or all of them, go. */
export interface StackPlace {
  /** Index of the stack. */
  readonly stack: number;
  /** First number of the stack's tensor that belongs to the weight. */
  readonly offset: number;
  readonly cut: WeightCut | undefined;
}

function product(shape: readonly number[]): number {
  return shape.reduce((numbers, size) => numbers * size, 1);
}

/** Numbers of a weight, all of them. */
export function numbersOf({ shape }: LoadedWeight): number {
  return product(shape);
}

/** Bytes of a stack's tensor. */
export function stackBytes(stack: WeightStack): number {
  return product(stackDims(stack)) * Float32Array.BYTES_PER_ELEMENT;
}

/** Dims of a stack's tensor. */
export function stackDims({ weights, cut }: WeightStack): number[] {
  return [weights.length, ...(cut === undefined ? (weights[0]?.shape ?? []) : [cut.rows, cut.columns])];
}

/** A cut that takes every number in its order is none. */
function isWhole({ rows, columns, first, rowStride, columnStride, numbers }: WeightCut): boolean {
  return first === 0 && columnStride === 1 && rowStride === columns && rows * columns === numbers;
}

function checkCut(weight: LoadedWeight, { rows, columns, first, rowStride, columnStride, numbers }: WeightCut): void {
  const last = first + (rows - 1) * rowStride + (columns - 1) * columnStride;
  if (numbersOf(weight) !== numbers || last >= numbers) {
    throw new RangeError(
      `"${weight.name}" has ${numbersOf(weight)} numbers, of which ${rows} × ${columns} are not to be cut`,
    );
  }
}

/**
 * The places of each weight, so that a weight of several stacks is decoded once.
 * @throws RangeError when the weights of a stack differ in size, or a cut leaves its weight.
 */
export function placesOf(stacks: readonly WeightStack[]): ReadonlyMap<LoadedWeight, readonly StackPlace[]> {
  const places = new Map<LoadedWeight, StackPlace[]>();
  stacks.forEach((stack, index) => {
    const size = product(stackDims(stack).slice(1));
    stack.weights.forEach((weight, at) => {
      if (stack.cut !== undefined) checkCut(weight, stack.cut);
      else if (numbersOf(weight) !== size)
        throw new RangeError(`"${weight.name}" has another size than its neighbours`);
      const cut = stack.cut === undefined || isWhole(stack.cut) ? undefined : stack.cut;
      const known = places.get(weight) ?? [];
      known.push({ stack: index, offset: at * size, cut });
      places.set(weight, known);
    });
  });
  return places;
}

/** Numbers that a place takes. */
export function placeNumbers(weight: LoadedWeight, { cut }: StackPlace): number {
  return cut === undefined ? numbersOf(weight) : cut.rows * cut.columns;
}

function takeCut(values: Float32Array, cut: WeightCut, out: Float32Array): void {
  const { rows, columns, first, rowStride, columnStride } = cut;
  for (let row = 0; row < rows; row++) {
    const from = first + row * rowStride;
    if (columnStride === 1) out.set(values.subarray(from, from + columns), row * columns);
    else
      for (let column = 0, at = row * columns; column < columns; column++)
        out[at + column] = values[from + column * columnStride] ?? 0;
  }
}

/** Decodes one weight into each of its places: f32, row-major. `out` has a view of the numbers of each. */
export function decodeInto(weight: LoadedWeight, places: readonly StackPlace[], out: readonly Float32Array[]): void {
  const [only] = places;
  if (only !== undefined && places.length === 1 && only.cut === undefined) {
    decodeWeight(weight, out[0] ?? new Float32Array());
    return;
  }
  const values = new Float32Array(numbersOf(weight));
  decodeWeight(weight, values);
  places.forEach(({ cut }, index) => {
    const target = out[index] ?? new Float32Array();
    if (cut === undefined) target.set(values);
    else takeCut(values, cut, target);
  });
}

/**
 * Decodes stacks to f32, each an array of its dims.
 * @param memory For each stack memory that it may be decoded into, at least as large, with any contents; else fresh memory.
 * @throws RangeError when the weights of a stack differ in size, a cut leaves its weight, or a part is missing.
 */
export function decodeStacks(
  stacks: readonly WeightStack[],
  memory: readonly (ArrayBuffer | undefined)[] = [],
): Float32Array<ArrayBuffer>[] {
  const arrays = stacks.map((stack, index) => {
    const [numbers, given] = [product(stackDims(stack)), memory[index]];
    return given === undefined ? new Float32Array(numbers) : new Float32Array(given, 0, numbers);
  });
  for (const [weight, places] of placesOf(stacks)) {
    const views = places.map((place) =>
      (arrays[place.stack] ?? new Float32Array()).subarray(place.offset, place.offset + placeNumbers(weight, place)),
    );
    decodeInto(weight, places, views);
  }
  return arrays;
}
