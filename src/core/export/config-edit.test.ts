import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepseekV3 } from '../architectures/deepseek-v3.ts';
import { llama4 } from '../architectures/llama4.ts';
import { qwen3Moe } from '../architectures/qwen3-moe.ts';
import { StudioError } from '../base/errors.ts';
import { editConfig } from './config-edit.ts';
import { fixturePlan } from './small-model.fixture.ts';

const PLAN = fixturePlan({ fingerprint: 'f'.repeat(64), moeLayers: [], config: { experts: 8 } }, []);

function editExpertCount(text: string, from: number, to: number): string {
  return editConfig(text, { architecture: qwen3Moe, from, to, plan: PLAN, withoutNextToken: false });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof StudioError ? error.code : String(error);
  }
  return 'nothing thrown';
}

describe('the expert count in config.json', () => {
  it('changes the count alone, and no spelling of any other number', () => {
    const text = '{\n\t"eps": 1e-06, "theta": 10000.0,\r\n  "num_experts" :  128 ,"x":[1,{"num_experts":128}]}\n';
    expect(editExpertCount(text, 128, 96)).toBe(text.replace(' 128 ', ' 96 '));
  });

  it('changes every spelling that is present', () => {
    expect(editExpertCount('{"num_experts":8,"num_local_experts":8}', 8, 6)).toBe(
      '{"num_experts":6,"num_local_experts":6}',
    );
  });

  it('is not misled by strings, nested objects and escaped keys', () => {
    const text = '{"a":"\\"num_experts\\": 8, {","b":{"num_experts":8},"c":["num_experts",8],"num_\\u0065xperts":8}';
    expect(editExpertCount(text, 8, 4)).toBe(text.replace('"num_\\u0065xperts":8', '"num_\\u0065xperts":4'));
  });

  it('keeps every byte when nothing is pruned', () => {
    const text = '\ufeff{ "num_local_experts":8 }';
    expect(editExpertCount(text, 8, 8)).toBe(text);
  });

  it('refuses a config without the count, and one that contradicts itself', () => {
    expect(codeOf(() => editExpertCount('{"experts":8}', 8, 4))).toBe('no-expert-count');
    expect(codeOf(() => editExpertCount('{"num_experts":8,"num_local_experts":7}', 8, 4))).toBe('config-disagrees');
    expect(codeOf(() => editExpertCount('{"num_experts":{"a":8}}', 8, 4))).toBe('config-disagrees');
  });

  it('gives what parsing, setting and serialising gives, for any object and indentation', () => {
    const anyObject = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true });
    fc.assert(
      fc.property(anyObject, anyObject, fc.constantFrom(0, 2, 4, '\t'), (before, after, indent) => {
        fc.pre(
          !('num_experts' in before) &&
            !('num_experts' in after) &&
            !('num_local_experts' in before) &&
            !('num_local_experts' in after),
        );
        const withCount = (count: number): string =>
          JSON.stringify({ ...before, num_experts: count, ...after }, null, indent);
        expect(editExpertCount(withCount(8), 8, 3)).toBe(withCount(3));
      }),
    );
  });
});

describe('the expert count elsewhere', () => {
  const nested = (text: string): string =>
    editConfig(text, { architecture: llama4, from: 8, to: 6, plan: PLAN, withoutNextToken: false });

  it("changes in the model's section and where the top repeats it", () => {
    expect(nested('{"num_experts":8,"text_config":{"num_local_experts":8},"vision_config":{"num_experts":8}}')).toBe(
      '{"num_experts":6,"text_config":{"num_local_experts":6},"vision_config":{"num_experts":8}}',
    );
    expect(nested('{"num_local_experts":8}')).toBe('{"num_local_experts":6}');
    expect(codeOf(() => nested('{"num_experts":4,"text_config":{"num_local_experts":8}}'))).toBe('config-disagrees');
  });

  it('changes in lists of one count a layer and in lists that repeat it', () => {
    expect(editExpertCount('{"num_experts":[8, 8,8],"moe_capacity":[8,8, 8]}', 8, 6)).toBe(
      '{"num_experts":[6, 6,6],"moe_capacity":[6,6, 6]}',
    );
    expect(editExpertCount('{"num_experts":8,"moe_capacity":[64,64]}', 8, 6)).toBe(
      '{"num_experts":6,"moe_capacity":[64,64]}',
    );
    expect(codeOf(() => editExpertCount('{"num_experts":[8,4]}', 8, 6))).toBe('config-disagrees');
  });

  it('is not sought in spellings that are null', () => {
    expect(editExpertCount('{"num_experts":8,"num_local_experts":null}', 8, 6)).toBe(
      '{"num_experts":6,"num_local_experts":null}',
    );
  });
});

describe('the count of layers that predict further tokens', () => {
  it.each([
    [true, '{"n_routed_experts":6,"num_nextn_predict_layers":0}'],
    [false, '{"n_routed_experts":6,"num_nextn_predict_layers":1}'],
  ])('becomes 0 when they are left out: %s', (withoutNextToken, expected) => {
    expect(
      editConfig('{"n_routed_experts":8,"num_nextn_predict_layers":1}', {
        architecture: deepseekV3,
        from: 8,
        to: 6,
        plan: PLAN,
        withoutNextToken,
      }),
    ).toBe(expected);
  });
});

describe('the quantisation section', () => {
  it("is edited at the top and in the model's section, under either name", () => {
    const model = { fingerprint: 'f'.repeat(64), moeLayers: [0], config: { experts: 2 } };
    const text =
      '{"text_config":{"num_experts":2,"compression_config":{"ignore":["model.layers.0.experts.1"]}},"quantization_config":{"ignore":["a","model.layers.0.experts.0"]}}';
    expect(
      editConfig(text, {
        architecture: llama4,
        from: 2,
        to: 1,
        plan: fixturePlan(model, [[1]]),
        withoutNextToken: false,
      }),
    ).toBe(
      '{"text_config":{"num_experts":1,"compression_config":{"ignore":["model.layers.0.experts.0"]}},"quantization_config":{"ignore":["a"]}}',
    );
  });
});
