import { describe, expect, it } from 'vitest';
import { applyEdits, parseJsonText } from './json-text.ts';
import { type NamedExperts, quantisationEdits } from './quantisation-edit.ts';
import { fixturePlan } from './small-model.fixture.ts';

function planKeeping(keep: readonly (readonly number[])[]): NamedExperts {
  const model = { fingerprint: 'f'.repeat(64), moeLayers: keep.map((_, row) => row + 1), config: { experts: 4 } };
  return { plan: fixturePlan(model, keep), nextTokenPrefix: undefined };
}

/** Layers 1 and 2 keep different experts. */
const UNLIKE = planKeeping([
  [1, 3],
  [0, 1],
]);

function edited(section: unknown, experts: NamedExperts = UNLIKE): unknown {
  const text = JSON.stringify(section, null, 2);
  return JSON.parse(applyEdits(text, quantisationEdits(parseJsonText(text), experts)));
}

describe('experts that a quantisation section names', () => {
  it('go where they are dropped and are renumbered where they stay, by the layer of the name', () => {
    expect(
      edited({
        quant_method: 'compressed-tensors',
        ignore: [
          'lm_head',
          'model.layers.1.mlp.experts.0.gate_proj',
          'model.layers.1.mlp.experts.3.down_proj',
          'model.layers.2.mlp.experts.1',
          'model.layers.2.mlp.experts.3',
        ],
        config_groups: {
          group_0: {
            targets: ['Linear', 're:^model\\.layers\\.1\\.mlp\\.experts\\.1\\..*$'],
            weights: { num_bits: 8 },
          },
        },
        quantized_layers: {
          'model.layers.1.mlp.experts.2.up_proj': { quant_algo: 'FP8', like: ['model.layers.1.mlp.experts.3.up_proj'] },
          'model.layers.1.mlp.experts.3.up_proj': { quant_algo: 'NVFP4' },
        },
      }),
    ).toEqual({
      quant_method: 'compressed-tensors',
      ignore: ['lm_head', 'model.layers.1.mlp.experts.1.down_proj', 'model.layers.2.mlp.experts.1'],
      config_groups: {
        group_0: { targets: ['Linear', 're:^model\\.layers\\.1\\.mlp\\.experts\\.0\\..*$'], weights: { num_bits: 8 } },
      },
      quantized_layers: { 'model.layers.1.mlp.experts.1.up_proj': { quant_algo: 'NVFP4' } },
    });
  });

  it('leave entries alone that name no routed expert of a pruned layer', () => {
    const section = {
      modules_to_not_convert: [
        'gate',
        'model.layers.1.mlp.shared_experts.3.up_proj',
        're:.*experts\\.[0-9]+\\..*',
        'model.layers.0.mlp.experts.2.up_proj',
        'model.layers.1.mlp.experts.30x',
      ],
      block: [4, 128],
      other: { experts: 4, 'encoder_layers.1.experts_3': true },
    };
    const text = JSON.stringify(section, null, 2);
    expect(applyEdits(text, quantisationEdits(parseJsonText(text), UNLIKE))).toBe(text);
  });

  it.each(['re:.*layers\\.0\\..*experts\\.(0|1)\\..*', 're:.*experts\\.[0-3]\\..*'])(
    'that an expression names several of at once are refused: %s',
    (entry) => {
      const text = JSON.stringify({ ignore: [entry] });
      expect(() => quantisationEdits(parseJsonText(text), UNLIKE)).toThrow(
        expect.objectContaining({ code: 'ambiguous-expert-names' }),
      );
    },
  );

  it('of layers that predict further tokens follow the last layer', () => {
    expect(edited(['model.layers.3.mlp.experts.1.up', 'model.layers.3.mlp.experts.2.up'])).toEqual([
      'model.layers.3.mlp.experts.1.up',
    ]);
    expect(
      edited(['mtp.layers.1.mlp.experts.1.up', 're:^mtp\\.layers\\.1\\.mlp\\.experts\\.3'], {
        ...UNLIKE,
        nextTokenPrefix: 'mtp.',
      }),
    ).toEqual(['mtp.layers.1.mlp.experts.1.up']);
  });

  it('without a layer are edited where all layers agree, and refused where they do not', () => {
    const alike = planKeeping([
      [1, 3],
      [1, 3],
    ]);
    expect(edited(['re:.*experts\\.3\\..*', 're:.*experts\\.2\\..*'], alike)).toEqual(['re:.*experts\\.1\\..*']);
    expect(() => edited(['re:.*experts\\.3\\..*'])).toThrow(
      expect.objectContaining({ family: 'export', code: 'ambiguous-expert-names' }),
    );
  });
});
