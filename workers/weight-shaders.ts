/**
 * WGSL that decodes weights to f32, exactly as src/core/quantisation/decode-weight.ts does. Everything that is not one f32
 * multiplication is done on the bits: WGSL may drop NaNs, the sign of zeros and subnormal numbers. Each invocation takes
 * one word of the stored tensor, and `numbers` says how many numbers there are in all.
 */
const FRAME = /* wgsl */ `
struct Shape {
  target_offset: u32, words: u32, numbers: u32, rows: u32,
  columns: u32, block_rows: u32, block_columns: u32, per_row: u32,
  per_matrix: u32, bits: u32, variant: u32, words_per_row: u32,
  zero_count: u32, group_stride: u32, pad_0: u32, pad_1: u32,
}
@group(0) @binding(0) var<storage, read_write> result: array<u32>;
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> stored: array<u32>;

fn word_index(group: vec3u, groups: vec3u, local: vec3u) -> u32 {
  return (group.x + group.y * groups.x) * 64u + local.x;
}

fn put(at: u32, bits: u32) { result[shape.target_offset + at] = bits; }

// Bits of a · b; zeros keep their sign.
fn product(a: u32, b: u32) -> u32 {
  if ((a & 0x7fffffffu) == 0u || (b & 0x7fffffffu) == 0u) { return (a ^ b) & 0x80000000u; }
  return bitcast<u32>(bitcast<f32>(a) * bitcast<f32>(b));
}
`;

const ENTRY = /* wgsl */ `
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let word = word_index(group, groups, local);
  if (word < shape.words) { decode(word); }
}`;

/** Two numbers a word: BF16 (`variant` 0) or F16 (`variant` 1). */
export const HALVES = `${FRAME}${
  /* wgsl */ `
fn half_bits(half: u32) -> u32 {
  if (shape.variant == 0u) { return half << 16u; }
  let sign = (half & 0x8000u) << 16u;
  let exponent = (half >> 10u) & 31u;
  let fraction = half & 0x3ffu;
  if (exponent == 31u) { return select(sign | 0x7f800000u, 0x7fc00000u, fraction != 0u); }
  if (exponent != 0u) { return sign | ((exponent + 112u) << 23u) | (fraction << 13u); }
  if (fraction == 0u) { return sign; }
  // Subnormal: its first set bit becomes the hidden one.
  let first = 31u - countLeadingZeros(fraction);
  return sign | ((first + 103u) << 23u) | ((fraction << (23u - first)) & 0x7fffffu);
}

fn decode(word: u32) {
  let pair = stored[word];
  put(2u * word, half_bits(pair & 0xffffu));
  if (2u * word + 1u < shape.numbers) { put(2u * word + 1u, half_bits(pair >> 16u)); }
}`
}${ENTRY}`;

/** Four numbers a word, each the entry of its byte in a table times the scale of its block. */
export const BYTES = `${FRAME}${
  /* wgsl */ `
@group(0) @binding(3) var<storage, read> scales: array<u32>;
@group(0) @binding(4) var<storage, read> table: array<u32>;

// An infinity or a NaN times a finite scale.
fn special(value: u32, scale: u32) -> u32 {
  let is_nan = (value & 0x7fffffffu) > 0x7f800000u || (scale & 0x7fffffffu) == 0u;
  return select(value ^ (scale & 0x80000000u), 0x7fc00000u, is_nan);
}

fn decode(word: u32) {
  let four = stored[word];
  for (var i = 0u; i < 4u; i++) {
    let at = 4u * word + i;
    if (at >= shape.numbers) { return; }
    let value = table[(four >> (8u * i)) & 255u];
    let row = at / shape.columns;
    let column = at % shape.columns;
    let scale = scales[(row / shape.rows) * shape.per_matrix
      + ((row % shape.rows) / shape.block_rows) * shape.per_row + column / shape.block_columns];
    put(at, select(product(value, scale), special(value, scale), (value & 0x7fffffffu) >= 0x7f800000u));
  }
}`
}${ENTRY}`;

/** Eight FP4 numbers a word, four words a block, a byte of scale a block. */
export const MXFP4 = `${FRAME}${
  /* wgsl */ `
@group(0) @binding(3) var<storage, read> scales: array<u32>;

// Bits of the FP4 number times 2^(scale − 127): powers of two are added, never multiplied.
fn scaled(four: u32, scale: u32) -> u32 {
  if (scale == 255u) { return 0x7fc00000u; }
  let sign = (four & 8u) << 28u;
  let magnitude = four & 7u;
  if (magnitude == 0u) { return sign; }
  // 1.f · 2^(e − 1); 0.5, its only subnormal, has no fraction as an f32.
  let fraction = select((magnitude & 1u) << 22u, 0u, magnitude == 1u);
  let exponent = i32(126u + (magnitude >> 1u)) + i32(scale) - 127;
  if (exponent >= 255) { return sign | 0x7f800000u; }
  if (exponent > 0) { return sign | (u32(exponent) << 23u) | fraction; }
  return sign | ((0x800000u | fraction) >> u32(1 - exponent));
}

fn decode(word: u32) {
  let block = word / 4u;
  let scale = (scales[block / 4u] >> (8u * (block % 4u))) & 255u;
  let eight = stored[word];
  for (var i = 0u; i < 8u; i++) { put(8u * word + i, scaled((eight >> (4u * i)) & 15u, scale)); }
}`
}${ENTRY}`;

/** Packed integers of 4 or 8 bits: compressed-tensors (`variant` 0), GPTQ (1), AWQ (2); see group-integers.ts. */
export const INTEGERS = `${FRAME}${
  /* wgsl */ `
@group(0) @binding(3) var<storage, read> scales: array<u32>;
@group(0) @binding(4) var<storage, read> zeros: array<f32>;
@group(0) @binding(5) var<storage, read> group_of: array<u32>;

fn number(at: u32, entry: u32, integer: u32) {
  // Both are small integers: their difference is exact.
  let difference = f32(integer) - zeros[min(entry, shape.zero_count - 1u)];
  put(at, product(bitcast<u32>(difference), scales[entry]));
}

fn decode(word: u32) {
  let per_word = 32u / shape.bits;
  let mask = (1u << shape.bits) - 1u;
  let packed = stored[word];
  for (var i = 0u; i < per_word; i++) {
    let integer = (packed >> (i * shape.bits)) & mask;
    if (shape.variant == 0u) {
      let row = word / shape.words_per_row;
      let column = (word % shape.words_per_row) * per_word + i;
      if (column >= shape.columns) { return; }
      let group = group_of[(row / shape.rows) * shape.group_stride + column];
      number(row * shape.columns + column, row * shape.per_row + group, integer);
    } else if (shape.variant == 1u) {
      let row = word % shape.rows;
      let column = (word / shape.rows) * per_word + i;
      number(row * shape.columns + column, group_of[column] * shape.rows + row, integer);
    } else {
      let column = word / shape.words_per_row;
      // Place i of a word holds output 2i, then 2i − 7.
      let row = (word % shape.words_per_row) * 8u + select(2u * i - 7u, 2u * i, i < 4u);
      number(row * shape.columns + column, group_of[column] * shape.rows + row, integer);
    }
  }
}`
}${ENTRY}`;

/** A matrix out of decoded numbers: row r, column c is the source's number first + r · row_stride + c · column_stride. */
export const CUT = /* wgsl */ `
struct Cut {
  target_offset: u32, numbers: u32, columns: u32, first: u32,
  row_stride: u32, column_stride: u32, pad_0: u32, pad_1: u32,
}
@group(0) @binding(0) var<storage, read_write> result: array<u32>;
@group(0) @binding(1) var<uniform> cut: Cut;
@group(0) @binding(2) var<storage, read> source: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let at = (group.x + group.y * groups.x) * 64u + local.x;
  if (at >= cut.numbers) { return; }
  let row = at / cut.columns;
  let column = at % cut.columns;
  result[cut.target_offset + at] = source[cut.first + row * cut.row_stride + column * cut.column_stride];
}`;
