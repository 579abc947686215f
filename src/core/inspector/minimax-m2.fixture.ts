import type { ReadonlyJsonObject } from '../base/json.ts';
import type { NamedTensor } from './proposal.ts';

const LAYERS = 62;
const EXPERTS = 256;
const HIDDEN = 3072;
const WIDTH = 1536;
const HEADS = 48;
const KEY_HEADS = 8;
const HEAD_DIM = 128;
const VOCABULARY = 200_064;
const BLOCK = 128;

/** config.json of MiniMax-M2.5 by its keys and numbers. */
export const minimaxConfig: ReadonlyJsonObject = {
  architectures: ['MiniMaxM2ForCausalLM'],
  attention_dropout: 0,
  attn_type_list: Array.from({ length: LAYERS }, () => 1),
  head_dim: HEAD_DIM,
  hidden_act: 'silu',
  hidden_size: HIDDEN,
  intermediate_size: WIDTH,
  max_position_embeddings: 196_608,
  model_type: 'minimax_m2',
  mtp_transformer_layers: 1,
  num_attention_heads: HEADS,
  num_experts_per_tok: 8,
  num_hidden_layers: LAYERS,
  num_key_value_heads: KEY_HEADS,
  num_local_experts: EXPERTS,
  num_mtp_modules: 3,
  output_router_logits: false,
  qk_norm_type: 'per_layer',
  quantization_config: {
    activation_scheme: 'dynamic',
    fmt: 'float8_e4m3fn',
    quant_method: 'fp8',
    weight_block_size: [BLOCK, BLOCK],
    modules_to_not_convert: ['gate', 'e_score_correction_bias', 'lm_head'],
  },
  rms_norm_eps: 1e-6,
  rope_theta: 5_000_000,
  rotary_dim: 64,
  router_aux_loss_coef: 0.001,
  router_jitter_noise: 0,
  scoring_func: 'sigmoid',
  shared_intermediate_size: 0,
  tie_word_embeddings: false,
  use_mtp: true,
  use_qk_norm: true,
  use_routing_bias: true,
  vocab_size: VOCABULARY,
};

function* quantised(name: string, rows: number, columns: number): Generator<NamedTensor> {
  yield { name: `${name}.weight`, dtype: 'F8_E4M3', shape: [rows, columns] };
  const shape = [Math.ceil(rows / BLOCK), Math.ceil(columns / BLOCK)];
  yield { name: `${name}.weight_scale_inv`, dtype: 'F32', shape };
}

/** Every tensor of the checkpoint by name, dtype and shape, as the repository's FP8 files have them. */
export function* minimaxTensors(): Generator<NamedTensor> {
  yield { name: 'model.embed_tokens.weight', dtype: 'BF16', shape: [VOCABULARY, HIDDEN] };
  yield { name: 'model.norm.weight', dtype: 'BF16', shape: [HIDDEN] };
  yield { name: 'lm_head.weight', dtype: 'BF16', shape: [VOCABULARY, HIDDEN] };
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `model.layers.${layer}`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
      yield { name: `${at}.${norm}.weight`, dtype: 'BF16', shape: [HIDDEN] };
    }
    yield* quantised(`${at}.self_attn.q_proj`, HEADS * HEAD_DIM, HIDDEN);
    yield* quantised(`${at}.self_attn.k_proj`, KEY_HEADS * HEAD_DIM, HIDDEN);
    yield* quantised(`${at}.self_attn.v_proj`, KEY_HEADS * HEAD_DIM, HIDDEN);
    yield* quantised(`${at}.self_attn.o_proj`, HIDDEN, HEADS * HEAD_DIM);
    yield { name: `${at}.self_attn.q_norm.weight`, dtype: 'BF16', shape: [HEADS * HEAD_DIM] };
    yield { name: `${at}.self_attn.k_norm.weight`, dtype: 'BF16', shape: [KEY_HEADS * HEAD_DIM] };
    const block = `${at}.block_sparse_moe`;
    yield { name: `${block}.gate.weight`, dtype: 'F32', shape: [EXPERTS, HIDDEN] };
    yield { name: `${block}.e_score_correction_bias`, dtype: 'F32', shape: [EXPERTS] };
    for (let expert = 0; expert < EXPERTS; expert++) {
      yield* quantised(`${block}.experts.${expert}.w1`, WIDTH, HIDDEN);
      yield* quantised(`${block}.experts.${expert}.w2`, HIDDEN, WIDTH);
      yield* quantised(`${block}.experts.${expert}.w3`, WIDTH, HIDDEN);
    }
  }
}

/** A modelling file with the classes that the repository's has, written for this test. */
export const minimaxModelling = `"""Decoder with sparse experts.

class NotAClass(nn.Module): only documentation, and so is softmax(topk).
"""
import torch
from torch import nn
import torch.nn.functional as F


class MiniMaxM2MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.w1 = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)  # into the middle
        self.w2 = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.w3 = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.act_fn = ACTIVATIONS[config.hidden_act]

    def forward(self, states):
        middle = self.act_fn(self.w1(states)) * self.w3(states)
        return self.w2(middle)


class MiniMaxM2Experts(nn.ModuleList):
    def __init__(self, config):
        super().__init__([MiniMaxM2MLP(config) for _ in range(config.num_local_experts)])


class MiniMaxM2SparseMoeBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.top_k = config.num_experts_per_tok
        self.gate = nn.Linear(config.hidden_size, config.num_local_experts, bias=False)
        self.experts = MiniMaxM2Experts(config)
        self.register_buffer(
            "e_score_correction_bias",
            torch.zeros(config.num_local_experts),
        )

    def route(self, logits):
        scores = torch.sigmoid(logits.float())
        picked = torch.topk(scores + self.e_score_correction_bias, self.top_k, dim=-1).indices
        weights = scores.gather(1, picked)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        return picked, weights


def turn_half(x):
    """Rotary embedding, one half against the other."""
    front = x[..., : x.shape[-1] // 2]
    back = x[..., x.shape[-1] // 2 :]
    return torch.cat((-back, front), dim=-1)


def apply_rotary(q, k, cos, sin):
    return q * cos + turn_half(q) * sin, k * cos + turn_half(k) * sin


class MiniMaxM2Norm(nn.Module):
    def forward(self, states):
        scaled = states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * scaled
`;
