import { describe, expect, it } from 'vitest';
import type { Architecture } from '../architectures/descriptor.ts';
import { architectures } from '../architectures/registry.ts';
import { referenceTexts } from './copy-as.ts';

function row(id: string): Architecture {
  const found = architectures.get(id);
  if (found === undefined) throw new Error(`no row ${id}`);
  return found;
}

describe('the entries for the reference implementation', () => {
  it('have its keys, for experts one by one', () => {
    expect(referenceTexts(row('minimax_m2'), { block: 'MiniMaxM2SparseMoeBlock' })).toEqual({
      modelAttributes: `"MiniMaxM2ForCausalLM": {
    "moe_block": "block_sparse_moe",
    "gate_proj": "w1",
    "up_proj": "w3",
    "down_proj": "w2",
    "experts": "experts",
    "fused": False,
    "router": "gate",
    "num_experts": "num_local_experts",
    "num_experts_per_tok": "num_experts_per_tok",
},
`,
      observerConfig: `@dataclass
class MiniMaxM2ObserverHookConfig(MoETransformerObserverConfig):
    module_class_name_to_hook_regex: Optional[str] = "MiniMaxM2SparseMoeBlock"
    num_experts_attr_name: str = "config.num_local_experts"
    top_k_attr_name: str = "config.num_experts_per_tok"
    fused_experts: bool = False


OBSERVER_CONFIG_REGISTRY["MiniMaxM2ForCausalLM"] = MiniMaxM2ObserverHookConfig
`,
    });
  });

  it('name gate and up alike where they are one tensor, and remark a class that is a guess', () => {
    const { modelAttributes, observerConfig } = referenceTexts(row('llama4_text'));
    expect(modelAttributes).toContain(
      '"moe_block": "feed_forward",\n    "gate_proj": "gate_up_proj",\n    "up_proj": "gate_up_proj"',
    );
    expect(modelAttributes).toContain('"fused": True,\n    "router": "router"');
    expect(observerConfig).toContain('fused_experts: bool = True');
    expect(observerConfig).toContain('check the class of the block');
  });

  it('can be written for every row', () => {
    for (const one of architectures.all()) {
      const { modelAttributes } = referenceTexts(one);
      expect(modelAttributes).not.toMatch(/[|]|\{layer|\{expert|""(?!, {2}# the block)/);
    }
  });

  it('are refused for a descriptor without experts', () => {
    const empty: Architecture = {
      ...row('mixtral'),
      experts: { ...row('mixtral').experts, perExpert: null, fused: null },
    };
    expect(() => referenceTexts(empty)).toThrow(expect.objectContaining({ code: 'incomplete-descriptor' }));
  });
});
