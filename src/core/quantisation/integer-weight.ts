import type { Dtype } from '../safetensors/dtype.ts';
import type { IntegerGroup, QuantisationConfig } from './quantisation-config.ts';
import { unsupportedQuantisation as unsupported } from './unsupported-quantisation.ts';
import type { StoredWeight, TensorFacts } from './weight-scheme.ts';

const WORD_BITS = 32;
const WORDS: ReadonlySet<Dtype> = new Set<Dtype>(['I32', 'U32']);

function present<T>(parts: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [] : [[name, part]])),
  );
}

function expectShape(tensor: TensorFacts, expected: readonly number[], what: string): void {
  if (tensor.shape.join() === expected.join()) return;
  throw unsupported(tensor, `${what} of this weight should be [${expected.join(', ')}]`);
}

function expectWords(tensor: TensorFacts): void {
  if (!WORDS.has(tensor.dtype)) throw unsupported(tensor, 'packed integers are stored as I32');
}

/** Inputs that share a scale: the config's number where it fits, else equal parts. */
function groupLength(scales: TensorFacts, columns: number, groups: number, named: number | undefined): number {
  if (named !== undefined && Math.ceil(columns / named) === groups) return named;
  if (columns % groups !== 0) throw unsupported(scales, `${columns} inputs do not make ${groups} equal groups`);
  return columns / groups;
}

/**
 * What `qweight`, `qzeros`, `scales` and `g_idx` store. Scales have one column an output; so has GPTQ's `qweight`, while
 * AWQ's is packed along the outputs: that tells them apart, and the bits.
 */
export function qweightWeight<T extends TensorFacts>(
  parts: ReadonlyMap<string, T>,
  qweight: T,
  quantisation: QuantisationConfig | undefined,
): StoredWeight<T> {
  const [qzeros, scales, order] = [parts.get('qzeros'), parts.get('scales'), parts.get('g_idx')];
  if (qzeros === undefined || scales === undefined) throw unsupported(qweight, 'it has no scales or zero points');
  const [words = 0, width = 0] = qweight.shape;
  const [groups = 0, rows = 0] = scales.shape;
  if (qweight.shape.length !== 2 || scales.shape.length !== 2 || groups === 0 || rows === 0) {
    throw unsupported(qweight, 'packed integers and their scales are matrices');
  }
  for (const tensor of [qweight, qzeros]) expectWords(tensor);
  const scheme = width === rows ? 'gptq' : 'awq';
  const bits = (WORD_BITS * (qzeros.shape[1] ?? 0)) / rows;
  if (bits !== 4 && (bits !== 8 || scheme === 'awq')) {
    throw unsupported(qweight, `its zero points [${qzeros.shape.join(', ')}] are not those of ${rows} outputs`);
  }
  const columns = scheme === 'gptq' ? (words * WORD_BITS) / bits : words;
  expectShape(qzeros, [groups, (rows * bits) / WORD_BITS], 'zero points');
  if (scheme === 'awq') expectShape(qweight, [columns, (rows * bits) / WORD_BITS], 'integers');
  if (scheme === 'gptq' && order !== undefined) expectShape(order, [columns], 'the groups of the inputs');
  return {
    name: qweight.name,
    shape: [rows, columns],
    scheme,
    parts: present({ qweight, qzeros, scales, ...(scheme === 'gptq' ? { g_idx: order } : {}) }),
    block:
      scheme === 'gptq' && order !== undefined
        ? undefined
        : [1, groupLength(scales, columns, groups, quantisation?.groupSize)],
    bits,
    zeroPointsAsStored: scheme === 'awq' || quantisation?.zeroPointsAsStored === true,
  };
}

interface Fit {
  readonly bits: number;
  readonly columns: number;
}

/** Widths among `candidates` that explain how many words a row has. */
function fits(words: number, groups: number, columns: number | undefined, candidates: readonly IntegerGroup[]): Fit[] {
  const found = candidates.flatMap(({ bits, groupSize }): Fit[] => {
    if (bits !== 4 && bits !== 8) return [];
    const inputs = columns ?? (groupSize === undefined ? (words * WORD_BITS) / bits : groups * groupSize);
    return Math.ceil((inputs * bits) / WORD_BITS) === words ? [{ bits, columns: inputs }] : [];
  });
  return found.filter(({ bits }, index) => found.findIndex((fit) => fit.bits === bits) === index);
}

/** What compressed-tensors' `weight_packed`, `weight_scale`, `weight_zero_point`, `weight_g_idx` and `weight_shape` store. */
export function packedWeight<T extends TensorFacts>(
  parts: ReadonlyMap<string, T>,
  packed: T,
  quantisation: QuantisationConfig | undefined,
): StoredWeight<T> {
  const [scale, zeros, order] = [parts.get('weight_scale'), parts.get('weight_zero_point'), parts.get('weight_g_idx')];
  if (scale === undefined) throw unsupported(packed, 'it has no "weight_scale"');
  if (packed.shape.length < 2) throw unsupported(packed, 'packed integers are a matrix');
  expectWords(packed);
  const leading = packed.shape.slice(0, -2);
  const [rows = 1, words = 1] = packed.shape.slice(-2);
  const groups = scale.shape.length === packed.shape.length ? (scale.shape.at(-1) ?? 1) : 1;
  const named = quantisation?.groups ?? [];
  const candidates = named.length > 0 ? named : [{ bits: quantisation?.bits ?? 4, groupSize: undefined }];
  const [fit, other] = fits(words, groups, order?.shape.at(-1), candidates);
  if (fit === undefined) {
    throw unsupported(packed, `its rows of ${words} words and ${groups} scales fit no group of config.json`);
  }
  if (other !== undefined) {
    throw unsupported(
      packed,
      `config.json names integers of ${fit.bits} and of ${other.bits} bits, and both would fit`,
    );
  }
  const { bits, columns } = fit;
  if (order !== undefined) expectShape(order, [...leading, columns], 'the groups of the inputs');
  expectShape(scale, [...leading, rows, groups].slice(0, Math.max(scale.shape.length, leading.length + 1)), 'scales');
  const packedZeros = zeros !== undefined && WORDS.has(zeros.dtype);
  if (zeros !== undefined) {
    if (!packedZeros && zeros.dtype !== 'I8') throw unsupported(zeros, 'zero points are I8, or packed as I32');
    expectShape(zeros, [...leading, packedZeros ? Math.ceil((rows * bits) / WORD_BITS) : rows, groups], 'zero points');
  }
  return {
    name: packed.name,
    shape: [...leading, rows, columns],
    scheme: 'packed',
    // The shape that a fused weight states is the whole tensor's, of no use to one expert's part.
    parts: present({
      packed,
      scale,
      zeros,
      g_idx: order,
      stated: leading.length > 0 ? undefined : parts.get('weight_shape'),
    }),
    block: order === undefined ? [1, groupLength(scale, columns, groups, undefined)] : undefined,
    bits,
    zeroPointsAsStored: true,
  };
}
