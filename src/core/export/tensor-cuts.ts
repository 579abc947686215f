/** Where a tensor lies in a shard file: absolute offset and length in bytes. */
export interface TensorExtent {
  readonly name: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** A part of a chunk, [from, to), that belongs to one tensor. */
export interface TensorPiece {
  readonly from: number;
  readonly to: number;
  /** Name of the tensor, when this is its last part. */
  readonly ends: string | undefined;
}

/** Cuts a shard that streams by from its first byte into its tensors. Before the first of them lies the header. */
export class TensorCuts {
  readonly #extents: readonly TensorExtent[];
  #position = 0;
  #current = 0;

  /** `extents` ascending by offset, without overlap. */
  constructor(extents: readonly TensorExtent[]) {
    this.#extents = extents;
  }

  /** The parts of the next `length` bytes, in order; those between tensors, as the header, are in none. */
  next(length: number): TensorPiece[] {
    const start = this.#position;
    const end = start + length;
    const pieces: TensorPiece[] = [];
    for (;;) {
      const extent = this.#extents[this.#current];
      // An empty tensor ends where it begins, and no later byte would end it.
      if (extent === undefined || extent.offset > end || (extent.offset === end && extent.byteLength > 0)) break;
      const last = extent.offset + extent.byteLength;
      const ends = last <= end ? extent.name : undefined;
      pieces.push({ from: Math.max(extent.offset, start) - start, to: Math.min(last, end) - start, ends });
      if (ends === undefined) break;
      this.#current++;
    }
    this.#position = end;
    return pieces;
  }
}
