import { deepseekV3 } from '../architectures/deepseek-v3.ts';
import type { Architecture } from '../architectures/descriptor.ts';
import { qwen3Moe } from '../architectures/qwen3-moe.ts';
import { fixed } from '../architectures/settings.ts';
import { COMMON_CONFIG, declared, type FamilyModel, type TensorDeclaration } from './family-model.fixture.ts';

// Tiny models of every layout that experts, routers and their neighbours have on disk: eight experts a layer.

/** A tensor of a routed expert. */
export const isExpert = (name: string): boolean => name.includes('.experts.');

/** In place of each first expert's gate projection the tensors of the layer's experts; the other experts' go. */
function fused(of: (block: string) => readonly TensorDeclaration[]): NonNullable<FamilyModel['store']> {
  return (tensor) => {
    const block = /^(.*\.experts)\.0\.gate_proj\.weight$/.exec(tensor.name)?.[1];
    if (block !== undefined) return of(block);
    return isExpert(tensor.name) ? [] : [tensor];
  };
}

const EIGHT = { num_experts: 8, num_experts_per_tok: 2, moe_intermediate_size: 4 };

export const QWEN2_FUSED: FamilyModel = {
  config: { ...COMMON_CONFIG, ...EIGHT, model_type: 'qwen2_moe', shared_expert_intermediate_size: 6 },
  store: fused((block) => [
    declared('BF16', `${block}.gate_up_proj`, 8, 8, 32),
    declared('BF16', `${block}.down_proj`, 8, 32, 4),
  ]),
};

export const LLAMA4_NESTED: FamilyModel = {
  config: {
    model_type: 'llama4',
    text_config: {
      ...COMMON_CONFIG,
      model_type: 'llama4_text',
      num_local_experts: 8,
      num_experts_per_tok: 1,
      intermediate_size: 4,
      intermediate_size_mlp: 8,
      interleave_moe_layer_step: 2,
    },
    vision_config: { num_local_experts: 8 },
  },
  store: ({ name, ...tensor }) => [{ ...tensor, name: `language_model.${name}` }],
  extra: [
    declared('BF16', 'language_model.model.layers.1.feed_forward.experts.gate_up_proj', 8, 32, 8),
    declared('BF16', 'language_model.model.layers.1.feed_forward.experts.down_proj', 8, 4, 32),
    declared('BF16', 'vision_model.patch.weight', 8, 8),
  ],
};

export const MINIMAX_FP8: FamilyModel = {
  config: {
    ...COMMON_CONFIG,
    model_type: 'minimax_m2',
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 12,
    num_mtp_modules: 3,
    use_mtp: true,
    quantization_config: { quant_method: 'fp8', weight_block_size: [8, 8] },
  },
  store: (tensor) => {
    const [rows = 1, columns = 1] = tensor.shape;
    return isExpert(tensor.name)
      ? [
          { ...tensor, dtype: 'F8_E4M3' },
          declared('F32', `${tensor.name}_scale_inv`, Math.ceil(rows / 8), Math.ceil(columns / 8)),
        ]
      : [tensor];
  },
};

export const GPT_OSS_MXFP4: FamilyModel = {
  config: { ...COMMON_CONFIG, model_type: 'gpt_oss', num_local_experts: 8, num_experts_per_tok: 2 },
  extra: [0, 1].flatMap((layer) => {
    const at = `model.layers.${layer}.mlp`;
    return [
      declared('U8', `${at}.experts.gate_up_proj_blocks`, 8, 64, 1, 16),
      declared('U8', `${at}.experts.gate_up_proj_scales`, 8, 64, 1),
      declared('BF16', `${at}.experts.gate_up_proj_bias`, 8, 64),
      declared('U8', `${at}.experts.down_proj_blocks`, 8, 32, 1, 16),
      declared('U8', `${at}.experts.down_proj_scales`, 8, 32, 1),
      declared('BF16', `${at}.experts.down_proj_bias`, 8, 32),
      declared('BF16', `${at}.router.bias`, 8),
    ];
  }),
};

export const ERNIE: FamilyModel = {
  config: {
    ...COMMON_CONFIG,
    model_type: 'ernie4_5_moe',
    moe_num_experts: 8,
    moe_k: 2,
    moe_intermediate_size: 4,
    moe_capacity: [8, 8, 8],
    moe_layer_start_index: 1,
  },
  store: (tensor) => [tensor.name.endsWith('correction_bias') ? declared('F32', tensor.name, 1, 8) : tensor],
};

/** Everything that DeepSeek-V3 stores of a layer, once more as layer 2, and what only that layer has. */
function further(layer: number): TensorDeclaration[] {
  const at = `model.layers.${layer}`;
  return [
    declared('BF16', `${at}.embed_tokens.weight`, 16, 32),
    declared('BF16', `${at}.shared_head.head.weight`, 16, 32),
    declared('BF16', `${at}.shared_head.norm.weight`, 32),
    declared('BF16', `${at}.eh_proj.weight`, 32, 64),
    declared('BF16', `${at}.input_layernorm.weight`, 32),
    declared('BF16', `${at}.self_attn.o_proj.weight`, 32, 8),
    declared('BF16', `${at}.mlp.gate.weight`, 8, 32),
    declared('F32', `${at}.mlp.gate.e_score_correction_bias`, 8),
    declared('BF16', `${at}.mlp.shared_experts.up_proj.weight`, 4, 32),
    ...Array.from({ length: 8 }, (_, expert) => [
      declared('BF16', `${at}.mlp.experts.${expert}.gate_proj.weight`, 4, 32),
      declared('BF16', `${at}.mlp.experts.${expert}.up_proj.weight`, 4, 32),
      declared('BF16', `${at}.mlp.experts.${expert}.down_proj.weight`, 32, 4),
    ]).flat(),
  ];
}

const DEEPSEEK = {
  ...COMMON_CONFIG,
  model_type: 'deepseek_v3',
  n_routed_experts: 8,
  num_experts_per_tok: 2,
  moe_intermediate_size: 4,
  n_shared_experts: 1,
  first_k_dense_replace: 1,
  n_group: 2,
  topk_group: 1,
  kv_lora_rank: 8,
  q_lora_rank: null,
  qk_nope_head_dim: 4,
  qk_rope_head_dim: 4,
  v_head_dim: 4,
  num_nextn_predict_layers: 1,
};

export const DEEPSEEK_MTP: FamilyModel = { config: DEEPSEEK, architecture: deepseekV3, extra: further(2) };

/** Experts of a further-token layer under a prefix, its router with `rows`, and what has no counterpart in the model. */
function underPrefix(rows: number): TensorDeclaration[] {
  return [
    declared('BF16', 'mtp.fc.weight', 32, 64),
    declared('BF16', 'mtp.norm.weight', 32),
    ...further(0)
      .filter(({ name }) => name.includes('.experts.'))
      .map((tensor) => ({ ...tensor, name: tensor.name.replace('model.', 'mtp.') })),
    declared('BF16', 'mtp.layers.0.mlp.gate.weight', rows, 32),
  ];
}

const PREFIXED: Architecture = {
  ...qwen3Moe,
  nextTokenLayers: { count: ['mtp_num_hidden_layers'], place: { prefix: 'mtp.' } },
};
const PREFIXED_CONFIG = { ...COMMON_CONFIG, ...EIGHT, model_type: 'qwen3_moe', mtp_num_hidden_layers: 1 };

/** As Qwen3.5 keeps them: the model's experts fused, those of the further-token layer one by one. */
export const PREFIXED_MTP: FamilyModel = {
  ...QWEN2_FUSED,
  config: PREFIXED_CONFIG,
  architecture: PREFIXED,
  extra: underPrefix(8),
};

/** Three rows of the router after the eight are of experts that return their input. */
export const IDENTITY: FamilyModel = {
  config: PREFIXED_CONFIG,
  architecture: { ...PREFIXED, router: { ...qwen3Moe.router, identityExperts: fixed(3) } },
  extra: underPrefix(11),
};
