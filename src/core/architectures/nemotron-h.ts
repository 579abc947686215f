import type { Architecture, ProjectionNames } from './descriptor.ts';
import { commonKeys, noMultipliers } from './pieces/decoder-names.ts';
import { groupedQuery } from './pieces/grouped-query.ts';
import { groupedSigmoidRouter } from './pieces/routers.ts';
import { fixed } from './settings.ts';

const LAYER = '{backbone|model}.layers.{layer}';
const TYPES = ['layers_block_type', 'hybrid_override_pattern', 'layer_types'] as const;

function ungated(at: string): ProjectionNames {
  return { gate: null, up: `${at}.up_proj`, down: `${at}.down_proj` };
}

/** Nemotron-H: each layer is a Mamba-2 mixer, attention without positions, an MLP or experts; squared ReLU without gate. */
export const nemotronH: Architecture = {
  id: 'nemotron_h',
  label: 'Nemotron-H',
  modelTypes: ['nemotron_h'],
  className: 'NemotronHForCausalLM',
  section: null,
  config: {
    ...commonKeys,
    layers: ['num_hidden_layers', 'layers_block_type', 'hybrid_override_pattern'],
    experts: ['n_routed_experts', 'num_local_experts'],
    normEpsilon: ['layer_norm_epsilon', 'rms_norm_eps'],
  },
  norm: 'rms',
  tiedEmbeddings: { key: ['tie_word_embeddings'], fallback: false },
  multipliers: noMultipliers,
  mixers: [
    {
      layers: { types: { key: TYPES, values: ['*', 'full_attention', 'attention'] } },
      mixer: { ...groupedQuery, headDim: ['head_dim', 'attention_head_dim'], rotary: null },
    },
    {
      layers: { types: { key: TYPES, values: ['M', 'linear_attention', 'mamba'] } },
      mixer: {
        kind: 'selective-scan',
        heads: ['mamba_num_heads'],
        headDim: ['mamba_head_dim'],
        groups: ['n_groups', 'mamba_n_groups'],
        state: ['ssm_state_size'],
        kernel: ['conv_kernel', 'mamba_d_conv'],
        convolutionBias: { key: ['use_conv_bias'], fallback: true },
        projectionBias: { key: ['use_bias'], fallback: false },
        leastStep: { key: ['time_step_min'], fallback: 0.001 },
      },
    },
  ],
  moeLayers: { types: { key: TYPES, values: ['E', 'moe'] } },
  denseLayers: { types: { key: TYPES, values: ['-', 'mlp'] } },
  layerOrder: 'sequential',
  router: groupedSigmoidRouter,
  experts: {
    activation: 'relu-squared',
    limit: fixed(0),
    perExpert: ungated(`${LAYER}.mixer.experts.{expert}`),
    fused: null,
  },
  shared: {
    names: ungated(`${LAYER}.mixer.shared_experts`),
    width: { key: ['moe_shared_expert_intermediate_size'] },
    gated: false,
  },
  dense: ungated(`${LAYER}.mixer`),
  tensors: {
    embedding: '{backbone|model}.embeddings',
    'final-norm': '{backbone|model}.norm_f',
    head: 'lm_head',
    'input-norm': `${LAYER}.norm`,
    query: `${LAYER}.mixer.q_proj`,
    key: `${LAYER}.mixer.k_proj`,
    value: `${LAYER}.mixer.v_proj`,
    output: `${LAYER}.mixer.o_proj`,
    'scan-in': `${LAYER}.mixer.in_proj`,
    'scan-convolution': `${LAYER}.mixer.conv1d`,
    'scan-time-bias': `${LAYER}.mixer.dt_bias`,
    'scan-decay': `${LAYER}.mixer.A_log`,
    'scan-skip': `${LAYER}.mixer.D`,
    'scan-norm': `${LAYER}.mixer.norm`,
    'scan-out': `${LAYER}.mixer.out_proj`,
    router: `${LAYER}.mixer.gate`,
    'correction-bias': `${LAYER}.mixer.gate.e_score_correction_bias`,
  },
  nextTokenLayers: { count: ['num_nextn_predict_layers'], place: { prefix: 'mtp.' } },
  ignored: [],
  heldAgainst: 'transformers 5.18',
};
