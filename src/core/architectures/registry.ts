import { Registry } from '../base/registry.ts';
import { deepseekV2 } from './deepseek-v2.ts';
import { deepseekV3 } from './deepseek-v3.ts';
import type { Architecture } from './descriptor.ts';
import { dots1 } from './dots1.ts';
import { ernie45Moe } from './ernie4-5-moe.ts';
import { glm4Moe } from './glm4-moe.ts';
import { glm4MoeLite } from './glm4-moe-lite.ts';
import { gptOss } from './gpt-oss.ts';
import { graniteMoe } from './granite-moe.ts';
import { hunyuanV1Moe } from './hunyuan-v1-moe.ts';
import { lfm2Moe } from './lfm2-moe.ts';
import { llama4 } from './llama4.ts';
import { longcatFlash } from './longcat-flash.ts';
import { minimaxM2 } from './minimax-m2.ts';
import { mixtral } from './mixtral.ts';
import { nemotronH } from './nemotron-h.ts';
import { olmoe } from './olmoe.ts';
import { phimoe } from './phimoe.ts';
import { qwen2Moe } from './qwen2-moe.ts';
import { qwen35Moe } from './qwen3-5-moe.ts';
import { qwen3Moe } from './qwen3-moe.ts';
import { qwen3Next } from './qwen3-next.ts';

/** Every family that the studio knows. A new one is a file beside this one and a line here. */
export const architectures = new Registry<Architecture>([
  minimaxM2,
  qwen3Moe,
  qwen2Moe,
  mixtral,
  olmoe,
  deepseekV2,
  deepseekV3,
  glm4Moe,
  ernie45Moe,
  gptOss,
  llama4,
  glm4MoeLite,
  qwen3Next,
  qwen35Moe,
  phimoe,
  graniteMoe,
  lfm2Moe,
  dots1,
  hunyuanV1Moe,
  longcatFlash,
  nemotronH,
]);

/** The row whose `modelTypes` holds this `model_type`, or undefined when the studio does not know it. */
export function architectureFor(modelType: string): Architecture | undefined {
  return architectures.all().find((row) => row.modelTypes.includes(modelType));
}
