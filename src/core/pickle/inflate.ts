/** Unpacks raw deflate data that must come to exactly `size` bytes; null when it does not, or is damaged. Never holds more than `size`. */
export async function inflateExactly(
  packed: Uint8Array<ArrayBuffer>,
  size: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const unpacked = new Uint8Array(size);
  let filled = 0;
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return filled === size ? unpacked : null;
      if (filled + value.byteLength > size) {
        await reader.cancel();
        return null;
      }
      unpacked.set(value, filled);
      filled += value.byteLength;
    }
  } catch {
    return null;
  }
}
