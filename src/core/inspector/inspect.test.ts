import { describe, expect, it } from 'vitest';
import type { ReadonlyJsonObject } from '../base/json.ts';
import { roleClassifier } from '../checkpoint/tensor-roles.ts';
import type { Dtype } from '../safetensors/dtype.ts';
import { inspect } from './inspect.ts';
import type { Finding, NamedTensor, Proposal } from './proposal.ts';

function finding({ findings }: Proposal, field: string): Finding {
  const found = findings.find((one) => one.field === field);
  if (found === undefined) throw new Error(`no finding about ${field}`);
  return found;
}

function tensorsOf(shapes: Readonly<Record<string, readonly number[]>>, dtype: Dtype = 'BF16'): NamedTensor[] {
  return Object.entries(shapes).map(([name, shape]) => ({ name, dtype, shape }));
}

const SMALL: ReadonlyJsonObject = {
  architectures: ['NewForCausalLM'],
  model_type: 'new',
  hidden_size: 8,
  vocab_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  hidden_act: 'silu',
  num_experts: 4,
  num_experts_per_tok: 2,
  intermediate_size: 6,
};

function attention(root: string, layers: number): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  for (let layer = 0; layer < layers; layer++) {
    const at = `${root}.layers.${layer}`;
    shapes[`${at}.input_layernorm.weight`] = [8];
    shapes[`${at}.post_attention_layernorm.weight`] = [8];
    shapes[`${at}.self_attn.q_proj.weight`] = [8, 8];
    shapes[`${at}.self_attn.k_proj.weight`] = [4, 8];
    shapes[`${at}.self_attn.v_proj.weight`] = [4, 8];
    shapes[`${at}.self_attn.o_proj.weight`] = [8, 8];
  }
  return shapes;
}

function trunk(root: string, head = 'lm_head'): Record<string, readonly number[]> {
  return { [`${root}.embed_tokens.weight`]: [32, 8], [`${root}.norm.weight`]: [8], [`${head}.weight`]: [32, 8] };
}

function perLayer(
  root: string,
  shapes: Readonly<Record<string, readonly number[]>>,
): Record<string, readonly number[]> {
  return Object.fromEntries(
    [0, 1].flatMap((layer) =>
      Object.entries(shapes).map(([rest, shape]) => [`${root}.layers.${layer}.${rest}`, shape]),
    ),
  );
}

function perExpert(at: string, names: readonly [string, string, string]): Record<string, readonly number[]> {
  const [gate, up, down] = names;
  return Object.fromEntries(
    [0, 1, 2, 3].flatMap((expert) => [
      [`${at}.${expert}.${gate}.weight`, [6, 8]],
      [`${at}.${expert}.${up}.weight`, [6, 8]],
      [`${at}.${expert}.${down}.weight`, [8, 6]],
    ]),
  );
}

function small(moe: Readonly<Record<string, readonly number[]>>, root = 'model'): NamedTensor[] {
  return tensorsOf({ ...trunk(root), ...attention(root, 2), ...perLayer(root, moe) });
}

describe('names', () => {
  const strange = { 'ffn.gating.weight': [4, 8], ...perExpert('ffn.pool_of_experts', ['a', 'b', 'c']) };

  it('of projections that no habit knows leave gate and up open', () => {
    const proposal = inspect({ configJson: SMALL, tensors: small(strange) });
    expect(proposal.block).toMatchObject({ block: 'ffn', router: 'gating', experts: 'pool_of_experts' });
    expect(finding(proposal, 'experts.perExpert.down')).toMatchObject({ confidence: 'certain' });
    expect(finding(proposal, 'experts.perExpert.gate').confidence).toBe('uncertain');
    expect(proposal.questions).toContain('experts.perExpert.up');
  });

  it('yield to the modelling source', () => {
    const source =
      'class Expert(nn.Module):\n  def forward(self, x):\n    return self.c(F.silu(self.b(x)) * self.a(x))\n';
    const proposal = inspect({
      configJson: SMALL,
      tensors: small(strange),
      modellingSources: new Map([['modeling_new.py', source]]),
    });
    expect(proposal.descriptor.experts.perExpert).toEqual({
      gate: 'model.layers.{layer}.ffn.pool_of_experts.{expert}.b',
      up: 'model.layers.{layer}.ffn.pool_of_experts.{expert}.a',
      down: 'model.layers.{layer}.ffn.pool_of_experts.{expert}.c',
    });
    expect(finding(proposal, 'experts.perExpert.gate').confidence).toBe('certain');
  });

  it('of a key for the expert count that nobody knows are found by its number', () => {
    const { num_experts, ...rest } = SMALL;
    const configJson = { ...rest, moe_pool: num_experts ?? 4 };
    const proposal = inspect({ configJson, tensors: small(strange) });
    expect(proposal.descriptor.config.experts).toEqual(['moe_pool']);
    expect(finding(proposal, 'config.experts').confidence).toBe('likely');
  });

  it('of tensors that no line explains are told, and cast doubt on the order of the layer', () => {
    const moe = { ...strange, 'pre_feedforward_layernorm.weight': [8] };
    const proposal = inspect({ configJson: SMALL, tensors: small(moe) });
    expect(proposal.unexplained).toEqual(['model.layers.#.pre_feedforward_layernorm']);
    expect(proposal.questions).toContain('layerOrder');
  });
});

describe('the bias for the choice', () => {
  it.each([
    ['mlp.gate', 'mlp.gate.e_score_correction_bias', 'router'],
    ['mlp.router.classifier', 'mlp.router.e_score_correction_bias', 'router'],
    ['mlp.gate', 'mlp.moe_statics.e_score_correction_bias', 'block'],
    ['mlp.gate', 'mlp.expert_bias', 'block'],
  ])('beside %s, as %s, lies on the %s', (router, bias, on) => {
    const moe = { [`${router}.weight`]: [4, 8], [bias]: [4], ...perExpert('mlp.experts', ['w1', 'w3', 'w2']) };
    expect(inspect({ configJson: SMALL, tensors: small(moe) }).block.correctionBias?.on).toBe(on);
  });
});

describe('fused experts', () => {
  it('in FP4 blocks are read by their logical shape', () => {
    const configJson = { ...SMALL, hidden_size: 64, intermediate_size: 32, head_dim: 32, num_local_experts: 4 };
    const at = 'model.layers.0.mlp';
    const tensors: NamedTensor[] = [
      ...tensorsOf({ 'model.embed_tokens.weight': [32, 64], 'model.norm.weight': [64], 'lm_head.weight': [32, 64] }),
      ...tensorsOf({ [`${at}.router.weight`]: [4, 64], [`${at}.router.bias`]: [4] }),
      ...tensorsOf({ [`${at}.experts.gate_up_proj_bias`]: [4, 64], [`${at}.experts.down_proj_bias`]: [4, 64] }),
      ...tensorsOf(
        {
          [`${at}.experts.gate_up_proj_blocks`]: [4, 64, 2, 16],
          [`${at}.experts.gate_up_proj_scales`]: [4, 64, 2],
          [`${at}.experts.down_proj_blocks`]: [4, 64, 1, 16],
          [`${at}.experts.down_proj_scales`]: [4, 64, 1],
        },
        'U8',
      ),
    ];
    const proposal = inspect({ configJson: { ...configJson, num_hidden_layers: 1 }, tensors });
    expect(proposal.descriptor.experts).toMatchObject({
      activation: 'clamped-swiglu',
      perExpert: null,
      fused: { gateUp: 'model.layers.{layer}.mlp.experts.gate_up_proj', interleaved: true, orientation: 'out-in' },
    });
    expect(proposal.descriptor.config.expertWidth).toEqual(['intermediate_size']);
    expect(proposal.questions).toEqual(expect.arrayContaining(['experts.activation', 'experts.fused.interleaved']));
    // A bias of the router's own is no bias for the choice.
    expect(proposal.descriptor.router.correctionBias).toBe(false);
  });

  it('whose shapes fit both orientations are asked about', () => {
    const configJson = { ...SMALL, intermediate_size: 8, hidden_size: 8 };
    const both = {
      'mlp.gate.weight': [4, 8],
      'mlp.experts.gate_up_proj': [4, 16, 8],
      'mlp.experts.down_proj': [4, 8, 8],
    };
    expect(inspect({ configJson, tensors: small(both) }).questions).not.toContain('experts.fused.orientation');
    const open = {
      'mlp.gate.weight': [4, 8],
      'mlp.experts.gate_up_proj': [4, 8, 8],
      'mlp.experts.down_proj': [4, 4, 8],
    };
    const proposal = inspect({ configJson: { ...configJson, intermediate_size: 4 }, tensors: small(open) });
    expect(proposal.descriptor.experts.fused?.orientation).toBe('in-out');
  });
});

describe('a larger model around the language model', () => {
  const inner = { ...SMALL, model_type: 'new_text' };
  const configJson: ReadonlyJsonObject = {
    architectures: ['NewForConditionalGeneration'],
    model_type: 'new',
    text_config: inner,
    vision_config: { hidden_size: 5 },
  };
  const moe = { 'mlp.gate.weight': [4, 8], 'mlp.experts.gate_up_proj': [4, 12, 8], 'mlp.experts.down_proj': [4, 8, 6] };
  const further = perExpert('mtp.layers.0.mlp.experts', ['gate_proj', 'up_proj', 'down_proj']);
  const tensors = [
    ...small(moe, 'model.language_model'),
    ...tensorsOf({
      'model.visual.blocks.0.attn.qkv.weight': [15, 5],
      'model.visual.patch_embed.proj.weight': [5, 3],
      'mtp.fc.weight': [8, 16],
      ...further,
      // More tensors than the model's own layers have: the layers' place is not where most tensors lie.
      ...Object.fromEntries(Object.keys(further).map((name) => [name.replace('.weight', '.input_scale'), [1]])),
    }),
  ];

  it('is read by its section, its towers are left alone, its further-token layers follow', () => {
    const proposal = inspect({ configJson, tensors });
    const { descriptor } = proposal;
    expect(descriptor).toMatchObject({ section: 'text_config', modelTypes: ['new', 'new_text'] });
    expect(descriptor.ignored).toContain('model.visual.*');
    expect(proposal.unexplained).toEqual([]);
    const roleOf = roleClassifier(descriptor, 2);
    expect(roleOf('model.visual.blocks.0.attn.qkv.weight', [15, 5])).toMatchObject({ kind: 'ignored' });
    expect(roleOf('model.language_model.layers.1.mlp.experts.down_proj', [4, 8, 6])).toMatchObject({
      kind: 'fused-experts',
    });
    expect(roleOf('mtp.layers.0.mlp.experts.3.up_proj.weight', [6, 8])).toMatchObject({
      kind: 'expert',
      expert: 3,
      projection: 'up',
      nextToken: true,
    });
  });
});

describe('what no file shows', () => {
  it('is never called more than uncertain without source', () => {
    const proposal = inspect({
      configJson: SMALL,
      tensors: small({ 'mlp.gate.weight': [4, 8], ...perExpert('mlp.experts', ['gate_proj', 'up_proj', 'down_proj']) }),
    });
    const hidden = [
      'norm',
      'multipliers.embedding',
      'multipliers.residual',
      'multipliers.logitsDivisor',
      'mixers.0.mixer.rotary.part',
      'mixers.0.mixer.rotary.style',
      'mixers.0.mixer.scale',
      'router.scoring',
      'router.renormalise',
      'router.sumEpsilon',
      'router.sumFloor',
      'router.scale',
      'router.gateOn',
    ];
    expect(proposal.questions).toEqual(hidden);
  });

  it.each([
    [
      'experts',
      small({ 'mlp.gate_proj.weight': [6, 8], 'mlp.up_proj.weight': [6, 8], 'mlp.down_proj.weight': [8, 6] }),
      'no-experts',
    ],
    ['a router', small(perExpert('mlp.experts', ['w1', 'w3', 'w2'])), 'no-router'],
  ])('for want of %s is refused', (_, tensors, code) => {
    expect(() => inspect({ configJson: SMALL, tensors })).toThrow(
      expect.objectContaining({ code, family: 'checkpoint' }),
    );
  });
});

describe('what no line can say', () => {
  const moe = { 'mlp.gate.weight': [4, 8], ...perExpert('mlp.experts', ['w1', 'w3', 'w2']) };

  it('is told: keys that nothing reads, bases of their own, biases of the router', () => {
    const configJson = {
      ...SMALL,
      attn_logit_softcapping: 30,
      rope_local_base_freq: 1e4,
      bos_token_id: 1,
      use_cache: true,
    };
    const proposal = inspect({ configJson, tensors: small({ ...moe, 'mlp.gate.bias': [4] }) });
    expect(proposal.unreadKeys).toEqual(['attn_logit_softcapping']);
    expect(proposal.questions).toEqual(
      expect.arrayContaining(['mixers.0.mixer.rotary.theta', 'router.correctionBias']),
    );
    expect(finding(proposal, 'router.renormalise').confidence).toBe('uncertain');
  });

  it('is asked for: parts without a tensor of a known name', () => {
    const tensors = small(moe).map((tensor) => ({
      ...tensor,
      name: tensor.name.replace('input_layernorm', 'first_scaling'),
    }));
    const proposal = inspect({ configJson: SMALL, tensors });
    expect(finding(proposal, 'tensors.input-norm')).toMatchObject({ value: null, confidence: 'uncertain' });
    expect(proposal.unexplained).toEqual(['model.layers.#.first_scaling']);
  });
});
