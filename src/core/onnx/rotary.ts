/**
 * Tables of the rotary position embedding, [positions, headDim / 2] each: cos and sin of position · θ^(−2i/headDim).
 * Frequencies and angles are rounded to f32 at each step, as transformers does: at position 32,768 the difference to
 * exact angles is some 1e-3 radian, more than the tolerance this project holds.
 */
export function rotaryTables(
  positions: number,
  headDim: number,
  theta: number,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const half = headDim / 2;
  const frequencies = Float32Array.from({ length: half }, (_, i) => 1 / Math.fround(theta ** ((2 * i) / headDim)));
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * (frequencies[i] ?? 0));
      cos[position * half + i] = Math.cos(angle);
      sin[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
