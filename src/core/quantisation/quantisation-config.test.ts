import { expect, test } from 'vitest';
import { readQuantisation } from './quantisation-config.ts';

const NOTHING_SAID = {
  method: '',
  block: undefined,
  bits: 4,
  groupSize: undefined,
  groups: [],
  zeroPointsAsStored: false,
};

test('a config without the section has none, an empty one says nothing', () => {
  expect(readQuantisation(undefined)).toBeUndefined();
  expect(readQuantisation({})).toEqual(NOTHING_SAID);
});

test('FP8 with blocks', () => {
  expect(readQuantisation({ quant_method: 'fp8', weight_block_size: [128, 64] })).toEqual({
    ...NOTHING_SAID,
    method: 'fp8',
    block: [128, 64],
  });
});

test.each([[null], [[128]], [[128, 0]], [[128.5, 128]], ['128x128'], [{ 0: 128, 1: 128 }]])(
  'a block size of %j is none',
  (weight_block_size) => {
    expect(readQuantisation({ weight_block_size })?.block).toBeUndefined();
  },
);

test('GPTQ and AWQ, in either spelling; a group of −1 is the whole row', () => {
  expect(readQuantisation({ quant_method: 'gptq', bits: 8, group_size: 128, checkpoint_format: 'gptq_v2' })).toEqual({
    ...NOTHING_SAID,
    method: 'gptq',
    bits: 8,
    groupSize: 128,
    zeroPointsAsStored: true,
  });
  expect(readQuantisation({ bits: 4, group_size: -1, checkpoint_format: 'gptq' })).toEqual(NOTHING_SAID);
  expect(readQuantisation({ w_bit: 8, q_group_size: 64 })).toEqual({ ...NOTHING_SAID, bits: 8, groupSize: 64 });
});

test('every width of compressed-tensors’ groups, groups without weights skipped', () => {
  const config_groups = {
    group_0: { weights: { num_bits: 4, group_size: 32 }, targets: ['Linear'] },
    group_1: { weights: { num_bits: 8, group_size: null, block_structure: [16, 16] } },
    group_2: { weights: null, input_activations: { num_bits: 8 } },
  };
  expect(readQuantisation({ quant_method: 'compressed-tensors', config_groups })).toEqual({
    ...NOTHING_SAID,
    method: 'compressed-tensors',
    block: [16, 16],
    groups: [
      { bits: 4, groupSize: 32 },
      { bits: 8, groupSize: undefined },
    ],
  });
});
