import { type ErrorFamily, StudioError } from '../../src/core/base/errors.ts';
import { MemoryFolder } from '../../src/core/bytes/memory-folder.ts';
import { openCheckpoint } from '../../src/core/checkpoint/open-checkpoint.ts';
import { loadModelTokenizer } from '../../src/core/corpus/model-tokenizer.ts';
import type { Files } from './checkpoint-files.ts';
import { CountingFolder } from './counting-folder.ts';

const TEXT = 'ab a_b  ab<|end|>ä\n';
const CONVERSATION = { messages: [{ role: 'user', content: TEXT }] };

/** The value, or undefined for a refusal of one of `families` with a next step. @throws what is neither. */
async function orRefusal<Value>(
  families: readonly ErrorFamily[],
  work: () => Promise<Value>,
): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StudioError && families.includes(error.family) && error.nextStep.length > 10) return undefined;
    throw error;
  }
}

/**
 * Opens a damaged checkpoint and its tokenizer, and uses both where they open.
 * @returns Which of them opened.
 * @throws Error when what opened is not what it says, or more was read than there is.
 */
export async function useDamaged(files: Files): Promise<{ readonly checkpoint: boolean; readonly tokenizer: boolean }> {
  const folder = new CountingFolder(new MemoryFolder('fuzzed', files));
  const checkpoint = await orRefusal(['checkpoint', 'safetensors', 'source'], () => openCheckpoint(folder));
  const held = [...files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
  if (folder.asked > held) throw new Error(`${folder.asked} bytes were asked for, there are ${held}`);
  for (const { name, file, offset, byteLength } of checkpoint?.tensors.values() ?? []) {
    const size = files.get(file)?.byteLength ?? 0;
    if (offset < 8 || offset + byteLength > size) throw new Error(`${name} lies outside of ${file}`);
  }
  if (checkpoint !== undefined) {
    const { experts, topK, layers, layerPlans } = checkpoint.config;
    if (topK > experts || layers !== layerPlans.length || checkpoint.moeLayers.some((layer) => layer >= layers))
      throw new Error('the config contradicts itself');
  }
  const tokenizer = await orRefusal(['corpus'], async () => {
    const { tokenizer: loaded, chatTemplate } = await loadModelTokenizer(folder);
    const rendered = chatTemplate?.render(CONVERSATION) ?? '';
    for (const text of [TEXT, rendered]) {
      const ids = loaded.encode(text, { addSpecialTokens: true });
      if (ids.some((id) => id < 0 || id >= loaded.vocabularySize)) throw new Error('an id outside of the vocabulary');
    }
    return loaded;
  });
  return { checkpoint: checkpoint !== undefined, tokenizer: tokenizer !== undefined };
}
