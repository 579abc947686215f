/** Columns [from, from + count) of rows of `width`, as rows of their own. */
export function columns(rows: Float32Array, width: number, from: number, count: number): Float32Array<ArrayBuffer> {
  const tokens = rows.length / width;
  const out = new Float32Array(tokens * count);
  for (let token = 0; token < tokens; token++) {
    out.set(rows.subarray(token * width + from, token * width + from + count), token * count);
  }
  return out;
}

/** Groups of columns taken out of each row in turn: `groups` times [skip, take, …] → [T, groups·take]. */
export function groupedColumns(
  rows: Float32Array,
  groups: number,
  stride: number,
  from: number,
  count: number,
): Float32Array<ArrayBuffer> {
  const tokens = rows.length / (groups * stride);
  const out = new Float32Array(tokens * groups * count);
  for (let at = 0; at < tokens * groups; at++) {
    out.set(rows.subarray(at * stride + from, at * stride + from + count), at * count);
  }
  return out;
}
