import { Registry } from '../base/registry.ts';
import type { Architecture } from './descriptor.ts';
import { qwen3Moe } from './qwen3-moe.ts';

/** Every family that the studio knows. A new one is a file beside this one and a line here. */
export const architectures = new Registry<Architecture>([qwen3Moe]);

/** The row whose `modelTypes` holds this `model_type`, or undefined when the studio does not know it. */
export function architectureFor(modelType: string): Architecture | undefined {
  return architectures.all().find((row) => row.modelTypes.includes(modelType));
}
