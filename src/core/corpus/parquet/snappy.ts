/**
 * Decompresses one block of snappy's format (google/snappy, format_description.txt).
 *
 * @param length bytes that it must give; nothing beyond them is ever written
 * @throws RangeError when it gives any other number of bytes, or refers outside of what it gave
 */
export function decompressSnappy(input: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(length);
  let at = 0;
  let declared = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = input[at++];
    if (byte === undefined || shift > 28) throw new RangeError('a snappy block has no length');
    declared += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (declared !== length) throw new RangeError(`a snappy block of ${declared} bytes stands where ${length} should be`);

  const little = (bytes: number): number => {
    if (at + bytes > input.length) throw new RangeError('a snappy block ends too early');
    let value = 0;
    for (let index = 0; index < bytes; index++) value += (input[at + index] ?? 0) * 2 ** (8 * index);
    at += bytes;
    return value;
  };
  let filled = 0;
  while (at < input.length) {
    const tag = input[at++] ?? 0;
    const upper = tag >> 2;
    if ((tag & 3) === 0) {
      const count = (upper < 60 ? upper : little(upper - 59)) + 1;
      if (count > input.length - at || count > length - filled) throw new RangeError('a snappy literal is too long');
      output.set(input.subarray(at, at + count), filled);
      at += count;
      filled += count;
      continue;
    }
    const short = (tag & 3) === 1;
    const count = short ? (upper & 7) + 4 : upper + 1;
    const offset = short ? (tag >> 5) * 256 + little(1) : little((tag & 3) === 2 ? 2 : 4);
    if (offset === 0 || offset > filled || count > length - filled) {
      throw new RangeError('a snappy copy reaches outside of its block');
    }
    if (offset >= count) output.copyWithin(filled, filled - offset, filled - offset + count);
    else for (let index = 0; index < count; index++) output[filled + index] = output[filled + index - offset] ?? 0;
    filled += count;
  }
  if (filled !== length) throw new RangeError('a snappy block ends too early');
  return output;
}
