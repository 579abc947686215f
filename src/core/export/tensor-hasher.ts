import { Sha256 } from './sha256.ts';

/** Where a tensor lies in a shard file: absolute offset and length in bytes. */
export interface TensorExtent {
  readonly name: string;
  readonly offset: number;
  readonly byteLength: number;
}

/** Hashes a shard that streams by from its first byte: the whole file, and each tensor in it. */
export class TensorHasher {
  readonly #file: Sha256;
  readonly #tensor: Sha256;
  readonly #extents: readonly TensorExtent[];
  readonly #hashes = new Map<string, string>();
  #position = 0;
  #current = 0;

  private constructor(file: Sha256, tensor: Sha256, extents: readonly TensorExtent[]) {
    this.#file = file;
    this.#tensor = tensor;
    this.#extents = extents;
    this.#endFinished();
  }

  /** `extents` ascending by offset, without overlap. */
  static async create(extents: readonly TensorExtent[]): Promise<TensorHasher> {
    return new TensorHasher(await Sha256.create(), await Sha256.create(), extents);
  }

  update(chunk: Uint8Array): void {
    this.#file.update(chunk);
    const end = this.#position + chunk.byteLength;
    for (;;) {
      const extent = this.#extents[this.#current];
      if (extent === undefined || extent.offset >= end) break;
      const from = Math.max(extent.offset, this.#position);
      const to = Math.min(extent.offset + extent.byteLength, end);
      this.#tensor.update(chunk.subarray(from - this.#position, to - this.#position));
      if (to < extent.offset + extent.byteLength) break;
      this.#endTensor(extent);
    }
    this.#position = end;
    this.#endFinished();
  }

  /** sha256 of the file and of every tensor; call it once, after the last byte. */
  digest(): { readonly sha256: string; readonly tensors: ReadonlyMap<string, string> } {
    return { sha256: this.#file.digest(), tensors: this.#hashes };
  }

  #endTensor(extent: TensorExtent): void {
    this.#hashes.set(extent.name, this.#tensor.digest());
    this.#current++;
  }

  /** Empty tensors at the present position have no byte that would end them. */
  #endFinished(): void {
    for (;;) {
      const extent = this.#extents[this.#current];
      if (extent === undefined || extent.byteLength > 0 || extent.offset > this.#position) break;
      this.#endTensor(extent);
    }
  }
}
