import type { CheckpointTensor } from './checkpoint.ts';
import type { ModelConfig } from './model-config.ts';

/**
 * What a plan and statistics are bound to: sha256 (hex) over the model type, E, K and every tensor's name, dtype and
 * shape, sorted by name. Resharding leaves it alone; another size, dtype or family changes it. It does not read weights,
 * so a fine-tune of the same base shares it, and its base's plan applies to it.
 */
export async function fingerprintOf(config: ModelConfig, tensors: Iterable<CheckpointTensor>): Promise<string> {
  const lines = [...tensors].map(({ name, dtype, shape }) => `${name}\t${dtype}\t${shape.join('x')}`).sort();
  const text = `${config.modelType}\t${config.experts}\t${config.topK}\n${lines.join('\n')}\n`;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
