const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** Of one block, compressed or not (RFC 8878, 3.1.1.2). */
const MAX_BLOCK = 2 ** 17;
const MAX_WINDOW = 2 ** 25;

/**
 * Walks over the frames and blocks of zstd data (RFC 8878) without decompressing, so that a decoder that allocates what
 * they declare stays near the size that is wanted.
 *
 * @param length bytes that the data should give
 * @throws RangeError when it declares another size, a window above 32 MiB, a dictionary, or many more blocks than needed
 */
export function checkZstdFrames(input: Uint8Array, length: number): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  let most = 0;
  while (at < input.length) {
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    if (magic !== MAGIC) throw new RangeError('a zstd frame has the wrong mark');
    const flags = view.getUint8(at + 4);
    const single = (flags >> 5) & 1;
    if ((flags & 3) !== 0) throw new RangeError('a zstd frame needs a dictionary');
    at += 5;
    let window = 0;
    if (single === 0) {
      const descriptor = view.getUint8(at);
      window = 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
      at += 1;
    }
    const sizeBytes = flags >> 6 === 0 ? single : 2 ** (flags >> 6);
    if (sizeBytes > 0) {
      const declared = contentSize(view, at, sizeBytes);
      if (declared > length) throw new RangeError(`a zstd frame of ${declared} bytes stands where ${length} should be`);
      at += sizeBytes;
    } else if (window > MAX_WINDOW) {
      throw new RangeError(`a zstd frame has a window of ${window} bytes`);
    }
    for (let last = false; !last; ) {
      const head = view.getUint8(at) + view.getUint16(at + 1, true) * 256;
      const size = head >> 3;
      const type = (head >> 1) & 3;
      last = (head & 1) === 1;
      if (type === 3 || size > MAX_BLOCK) throw new RangeError('a zstd block has an unknown type or size');
      at += 3 + (type === 1 ? 1 : size);
      most += type === 2 ? MAX_BLOCK : size;
    }
    if (((flags >> 2) & 1) === 1) at += 4;
    if (at > input.length) throw new RangeError('a zstd frame ends too early');
    if (most > 8 * length + 2 ** 24) throw new RangeError('zstd data gives more bytes than it should');
  }
}

function contentSize(view: DataView, at: number, bytes: number): number {
  switch (bytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}
