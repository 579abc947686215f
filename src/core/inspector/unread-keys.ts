import type { Architecture } from '../architectures/descriptor.ts';
import type { ConfigFacts } from './config-facts.ts';
import { KEYS, LAYER_KEYS } from './key-vocabulary.ts';

/** Members that say nothing about what a forward pass computes. */
const NO_ACCOUNT =
  /^(?:architectures|model_type|auto_map|_name_or_path|transformers_version|(?:torch_)?dtype|use_cache|quantization_config|compression_config|tokenizer_class|initializer_range|pretraining_tp|ep_size|seq_aux|is_decoder)$|_token_ids?$|dropout|aux_loss|output_router_logits|^output_|vision|image|video|audio/;

/** Read beside the descriptor: rotary scalings, and numbers that follow from others. */
const READ_ELSEWHERE = /^(?:rope_\w+|qk_head_dim|original_max_position_embeddings|initial_context_length)$/;

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

/**
 * Members of config.json that the descriptor does not read: something there may change the forward pass in a way that no
 * line says. Members whose meaning is known and that were looked at in vain (a second spelling) are left out.
 */
export function unreadKeys(config: ConfigFacts, descriptor: Architecture): readonly string[] {
  const read = new Set(strings(descriptor));
  const known = new Set<string>([
    ...Object.values(KEYS).flat(),
    ...[...LAYER_KEYS.from, ...LAYER_KEYS.to, ...LAYER_KEYS.except, ...LAYER_KEYS.only],
    ...LAYER_KEYS.every.map(([name]) => name),
  ]);
  return config
    .names()
    .filter((name) => !read.has(name) && !known.has(name) && !NO_ACCOUNT.test(name) && !READ_ELSEWHERE.test(name));
}
