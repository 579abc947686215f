import { describe, expect, test } from 'vitest';
import { isStudioError } from '../base/errors.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { readQuantisation } from './quantisation-config.ts';
import { quantisedCases } from './quantised-weights.fixture.ts';
import { storedWeight } from './stored-weight.ts';
import type { TensorFacts } from './weight-scheme.ts';

type Sizes = readonly [dtype: Dtype, ...shape: number[]];

function parts(sizes: Readonly<Record<string, Sizes>>): Map<string, TensorFacts> {
  return new Map(
    Object.entries(sizes).map(([ending, [dtype, ...shape]]) => [ending, { name: `m.${ending}`, dtype, shape }]),
  );
}

function refusal(sizes: Readonly<Record<string, Sizes>>, config?: ReadonlyJsonObject): unknown {
  try {
    return storedWeight('m', parts(sizes), readQuantisation(config)).scheme;
  } catch (error) {
    if (!isStudioError(error, 'checkpoint')) throw error;
    expect(error.code).toBe('unsupported-quantisation');
    expect(error.nextStep).not.toBe('');
    expect(error.message).toContain(`"${String(error.details['tensor'])}"`);
    return error.details['tensor'];
  }
}

test('the scheme follows from the endings, whatever the method in config.json', () => {
  const schemes = quantisedCases().map(({ name, parts: tensors, quantisation }) => [
    name.split(' ')[0],
    storedWeight('module', tensors, quantisation === undefined ? undefined : { ...quantisation, method: 'other' })
      .scheme,
  ]);
  expect(schemes.filter(([family, scheme]) => family !== scheme)).toEqual([]);
  expect(new Set(schemes.map(([, scheme]) => scheme)).size).toBe(7);
});

describe('bits come from the tensors where they can', () => {
  const gptq = { qweight: ['I32', 16, 8], qzeros: ['I32', 4, 2], scales: ['F16', 4, 8] } as const;

  test('a qweight of 8 bits in a model whose config says 4', () => {
    const { bits, shape } = storedWeight('m', parts(gptq), readQuantisation({ bits: 4, group_size: 16 }));
    expect([bits, shape]).toEqual([8, [8, 64]]);
  });

  test('of two widths that config.json names, the one that fits the group size', () => {
    const config = {
      config_groups: {
        a: { weights: { num_bits: 4, group_size: 32 } },
        b: { weights: { num_bits: 8, group_size: 32 } },
      },
    };
    const sizes = { weight_packed: ['I32', 6, 16], weight_scale: ['BF16', 6, 2] } as const;
    expect(storedWeight('m', parts(sizes), readQuantisation(config)).shape).toEqual([6, 64]);
    const eight = { ...sizes, weight_scale: ['BF16', 6, 4] } as const;
    expect(storedWeight('m', parts(eight), readQuantisation(config)).shape).toEqual([6, 128]);
  });
});

describe('scales of eight-bit weights', () => {
  const blockOf = (scale: readonly number[], config?: ReadonlyJsonObject): unknown =>
    storedWeight(
      'm',
      parts({ weight: ['F8_E4M3', 256, 384], weight_scale: ['F32', ...scale] }),
      readQuantisation(config),
    ).block;

  test.each([
    ['one', [], [256, 384]],
    ['one, as a vector', [1], [256, 384]],
    ['one a row', [256], [1, 384]],
    ['one a row, as a column', [256, 1], [1, 384]],
    ['one a group of inputs', [256, 12], [1, 32]],
    ['one a block of 128 × 128', [2, 3], [128, 128]],
  ])('%s', (_, scale, block) => {
    expect(blockOf(scale)).toEqual(block);
  });

  test('the block of config.json goes before the usual one', () => {
    expect(blockOf([8, 6], { weight_block_size: [32, 64] })).toEqual([32, 64]);
    const structure = { config_groups: { a: { weights: { num_bits: 8, block_structure: [32, 64] } } } };
    expect(blockOf([8, 6], structure)).toEqual([32, 64]);
  });
});

describe('the tensor that cannot be read is named', () => {
  const fp8 = ['F8_E4M3', 256, 256] as const;
  const qzeros = ['I32', 4, 1] as const;
  const scales = ['F16', 4, 8] as const;
  test.each<readonly [string, Readonly<Record<string, Sizes>>, string]>([
    ['F64', { weight: ['F64', 2, 2] }, 'm.weight'],
    ['FP8 of another bias', { weight: ['F8_E4M3FNUZ', 2, 2], weight_scale: ['F32'] }, 'm.weight'],
    ['FP8 without a scale', { weight: fp8 }, 'm.weight'],
    ['scales of integers', { weight: fp8, weight_scale: ['I32', 2, 2] }, 'm.weight_scale'],
    ['blocks of no known size', { weight: fp8, weight_scale: ['F32', 3, 5] }, 'm.weight'],
    ['scales of other experts', { weight: ['F8_E4M3', 4, 8, 8], weight_scale: ['F32', 3, 1, 1] }, 'm.weight_scale'],
    [
      'zero points of another shape',
      { weight: ['I8', 4, 8], weight_scale: ['F32', 4, 1], weight_zero_point: ['I8', 1] },
      'm.weight_zero_point',
    ],
    ['FP4 blocks of another size', { blocks: ['U8', 4, 2, 8], scales: ['U8', 4, 2] }, 'm.blocks'],
    ['FP4 scales of another shape', { blocks: ['U8', 4, 2, 16], scales: ['U8', 4, 3] }, 'm.scales'],
    ['integers without scales', { qweight: ['I32', 8, 8], qzeros }, 'm.qweight'],
    ['integers of 2 bits', { qweight: ['I32', 4, 16], qzeros, scales: ['F16', 4, 16] }, 'm.qweight'],
    ['the gemv layout of AWQ', { qweight: ['I32', 8, 8], qzeros: ['I32', 8, 1], scales: ['F16', 8, 1] }, 'm.qweight'],
    ['words of another type', { qweight: ['I16', 8, 8], qzeros, scales }, 'm.qweight'],
    ['an order of other inputs', { qweight: ['I32', 8, 8], qzeros, scales, g_idx: ['I32', 63] }, 'm.g_idx'],
    ['packed FP4', { weight_packed: ['U8', 8, 16], weight_scale: ['F8_E4M3', 8, 2] }, 'm.weight_packed'],
    ['packed integers without scales', { weight_packed: ['I32', 8, 8] }, 'm.weight_packed'],
    [
      'packed zero points of other rows',
      { weight_packed: ['I32', 8, 8], weight_scale: ['F16', 8, 2], weight_zero_point: ['I32', 2, 2] },
      'm.weight_zero_point',
    ],
    ['nothing at all', { bias: ['F32', 8] }, 'm.bias'],
  ])('%s', (_, sizes, tensor) => {
    expect(refusal(sizes)).toBe(tensor);
  });

  test('packed rows that two widths of config.json explain', () => {
    const config = { config_groups: { a: { weights: { num_bits: 4 } }, b: { weights: { num_bits: 8 } } } };
    expect(refusal({ weight_packed: ['I32', 8, 8], weight_scale: ['F16', 8, 1] }, config)).toBe('m.weight_packed');
  });
});
