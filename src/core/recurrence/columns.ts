/** Columns [from, from + count) of rows of `width`, as rows of their own. */
export function columns(rows: Float32Array, width: number, from: number, count: number): Float32Array<ArrayBuffer> {
  const tokens = rows.length / width;
  const out = new Float32Array(tokens * count);
  for (let token = 0; token < tokens; token++) {
    out.set(rows.subarray(token * width + from, token * width + from + count), token * count);
  }
  return out;
}
