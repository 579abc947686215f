import type { Dtype } from '../../../src/core/safetensors/dtype.ts';
import { layoutTensors, type TensorShape } from '../../../src/core/safetensors/writer.ts';

/** Sizes of a made-up checkpoint of the family MiniMax-M2: FP8 in blocks of 128 × 128. */
export interface ModelSizes {
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
  /** Multiples of 128. */
  readonly hidden: number;
  readonly inner: number;
}

const VOCABULARY = 1024;
const HEADS = 8;
const HEAD_DIM = 128;
const BLOCK = 128;
const PIECE = 4 * 1024 * 1024;

function tensorsOf({ layers, experts, hidden, inner }: ModelSizes): TensorShape[] {
  const tensors: TensorShape[] = [];
  const add = (name: string, dtype: Dtype, shape: readonly number[]): void => void tensors.push({ name, dtype, shape });
  const fp8 = (name: string, rows: number, columns: number): void => {
    add(`${name}.weight`, 'F8_E4M3', [rows, columns]);
    add(`${name}.weight_scale_inv`, 'F32', [Math.ceil(rows / BLOCK), Math.ceil(columns / BLOCK)]);
  };
  add('model.embed_tokens.weight', 'BF16', [VOCABULARY, hidden]);
  add('model.norm.weight', 'BF16', [hidden]);
  add('lm_head.weight', 'BF16', [VOCABULARY, hidden]);
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    add(`${at}.input_layernorm.weight`, 'BF16', [hidden]);
    add(`${at}.post_attention_layernorm.weight`, 'BF16', [hidden]);
    add(`${at}.self_attn.q_norm.weight`, 'BF16', [HEADS * HEAD_DIM]);
    add(`${at}.self_attn.k_norm.weight`, 'BF16', [HEADS * HEAD_DIM]);
    for (const name of ['q', 'k', 'v']) fp8(`${at}.self_attn.${name}_proj`, HEADS * HEAD_DIM, hidden);
    fp8(`${at}.self_attn.o_proj`, hidden, HEADS * HEAD_DIM);
    add(`${at}.block_sparse_moe.gate.weight`, 'F32', [experts, hidden]);
    add(`${at}.block_sparse_moe.e_score_correction_bias`, 'F32', [experts]);
    for (let expert = 0; expert < experts; expert++) {
      const of = `${at}.block_sparse_moe.experts.${expert}`;
      fp8(`${of}.w1`, inner, hidden);
      fp8(`${of}.w2`, hidden, inner);
      fp8(`${of}.w3`, inner, hidden);
    }
  }
  return tensors;
}

function configOf({ layers, experts, topK, hidden, inner }: ModelSizes): string {
  return JSON.stringify({
    architectures: ['MiniMaxM2ForCausalLM'],
    model_type: 'minimax_m2',
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: HEADS,
    num_key_value_heads: HEADS,
    head_dim: HEAD_DIM,
    max_position_embeddings: 4096,
    num_local_experts: experts,
    num_experts_per_tok: topK,
    rms_norm_eps: 1e-6,
    rope_parameters: { partial_rotary_factor: 0.5, rope_theta: 5_000_000, rope_type: 'default' },
    tie_word_embeddings: false,
    vocab_size: VOCABULARY,
    quantization_config: {
      quant_method: 'fp8',
      fmt: 'float8_e4m3fn',
      activation_scheme: 'dynamic',
      weight_block_size: [BLOCK, BLOCK],
      modules_to_not_convert: ['gate', 'e_score_correction_bias', 'lm_head'],
    },
  });
}

/** Bytes of random numbers of one format: about ±0.03 as weights, about 1 as norms, all of them finite. */
function noise(dtype: Dtype, isNorm: boolean): Uint8Array<ArrayBuffer> {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  // FP8: signs and magnitudes up to 2; the scales bring them down.
  if (dtype === 'F8_E4M3')
    return Uint8Array.from({ length: PIECE }, () => (next() < 0 ? 0x80 : 0) | ((next() + 0.5) * 64));
  const values = Float32Array.from({ length: PIECE / 4 }, () => (isNorm ? 1 + next() / 10 : next() / 16));
  if (dtype === 'F32') return new Uint8Array(values.buffer);
  const words = new Uint32Array(values.buffer);
  return new Uint8Array(
    Uint16Array.from({ length: PIECE / 2 }, (_, at) => (words[at % words.length] ?? 0) >>> 16).buffer,
  );
}

/** The checkpoint: its config.json, and its one safetensors file as pieces, most of which are one and the same object. */
export function madeUpModel(sizes: ModelSizes): {
  readonly config: string;
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  readonly bytes: number;
} {
  const { header, entries, fileSize } = layoutTensors(tensorsOf(sizes), new Map([['format', 'pt']]));
  const pools = new Map<string, Uint8Array<ArrayBuffer>>();
  const poolOf = (dtype: Dtype, isNorm: boolean): Uint8Array<ArrayBuffer> => {
    const key = `${dtype} ${isNorm}`;
    const pool = pools.get(key) ?? noise(dtype, isNorm);
    pools.set(key, pool);
    return pool;
  };
  const pieces = [header];
  for (const [index, { name, dtype, shape, begin, end }] of entries.entries()) {
    const isScale = name.endsWith('_scale_inv');
    const pool = isScale
      ? new Uint8Array(new Float32Array((end - begin) / 4).fill(0.03 * (0.5 + ((index * 0.618) % 1))).buffer)
      : poolOf(dtype, shape.length === 1 && dtype === 'BF16');
    for (let left = end - begin; left > 0; left -= pool.byteLength)
      pieces.push(left >= pool.byteLength ? pool : pool.subarray(0, left));
  }
  return { config: configOf(sizes), pieces, bytes: fileSize };
}

/** Token ids of a few equally long sequences. */
export function madeUpTokens(tokens: number): Int32Array<ArrayBuffer>[] {
  const length = Math.min(512, tokens);
  return Array.from({ length: Math.floor(tokens / length) }, (_, sequence) =>
    Int32Array.from({ length }, (_, at) => (at * at * 31 + at * 17 + sequence * 101) % VOCABULARY),
  );
}
