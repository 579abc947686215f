import type { FileHashes, OpenFileHasher } from './file-hasher.ts';
import { Sha256 } from './sha256.ts';
import { TensorCuts } from './tensor-cuts.ts';

/** Hashes on the calling thread, in WebAssembly: runs anywhere. */
export const openTensorHasher: OpenFileHasher = async (extents) => {
  const [file, tensor] = [await Sha256.create(), await Sha256.create()];
  const cuts = new TensorCuts(extents);
  const tensors = new Map<string, string>();
  return {
    update(chunk: Uint8Array): void {
      file.update(chunk);
      for (const { from, to, ends } of cuts.next(chunk.byteLength)) {
        tensor.update(chunk.subarray(from, to));
        if (ends !== undefined) tensors.set(ends, tensor.digest());
      }
    },
    digest(): FileHashes {
      const sha256 = file.digest();
      file.release();
      tensor.release();
      return { sha256, tensors };
    },
  };
};
