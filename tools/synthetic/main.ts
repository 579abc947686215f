import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { minimaxM2, qwen3Moe } from './models.ts';
import { tokenIds, writeModel } from './write-model.ts';

/** Writes a checkpoint in a real model's shapes, with made-up weights, and ids.json with 2,048 tokens beside it. */
const MODELS = { 'minimax-m2': minimaxM2, 'qwen3-moe': qwen3Moe };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    layers: { type: 'string', default: '2' },
    'shard-gb': { type: 'string', default: '2' },
    sparse: { type: 'boolean', default: false },
  },
});
const [name, folder] = positionals;
const model = MODELS[name as keyof typeof MODELS];
if (model === undefined || folder === undefined) {
  console.error(
    `usage: tsx tools/synthetic/main.ts ${Object.keys(MODELS).join('|')} FOLDER [--layers n] [--shard-gb n] [--sparse]`,
  );
  process.exit(2);
}
const made = model(Number(values.layers));
const bytes = await writeModel(folder, made, {
  shardBytes: Number(values['shard-gb']) * 1e9,
  ...(values.sparse ? { headBytes: 4096 } : {}),
});
const vocabulary = Number(made.config['vocab_size']);
await writeFile(join(folder, 'ids.json'), JSON.stringify(tokenIds(4, 512, vocabulary)));
console.log(`${folder}: ${made.tensors.length} tensors, ${(bytes / 1e9).toFixed(2)} GB`);
