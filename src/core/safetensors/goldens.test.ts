import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseHeader } from './header.ts';
import { parseShardIndex } from './shard-index.ts';
import { layoutTensors } from './writer.ts';

/** The goldens lie beside the repository, where they are there at all. */
const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);
const folders = existsSync(GOLDENS)
  ? readdirSync(GOLDENS).filter((name) => existsSync(new URL(`${name}/golden.json`, GOLDENS)))
  : [];
const INDEX = 'model.safetensors.index.json';

const goldenSchema = z.object({
  checkpoint: z.object({
    tensors: z.record(z.string(), z.object({ dtype: z.string(), shape: z.array(z.number()), sha256: z.string() })),
  }),
});

const shardsOf = (folder: string): string[] =>
  readdirSync(new URL(`${folder}/`, GOLDENS)).filter((name) => name.endsWith('.safetensors'));
const read = (folder: string, name: string): Buffer => readFileSync(new URL(`${folder}/${name}`, GOLDENS));

describe.skipIf(folders.length === 0)('goldens', () => {
  test('are all there', () => {
    expect(folders.length).toBeGreaterThanOrEqual(17);
  });

  test.each(folders)('%s parses, and its headers are laid out to the same bytes', (folder) => {
    for (const name of shardsOf(folder)) {
      const file = read(folder, name);
      const header = parseHeader(file, file.byteLength, name);
      const layout = layoutTensors(header.tensors, header.metadata);
      expect(layout.fileSize).toBe(file.byteLength);
      expect(Buffer.compare(layout.header, file.subarray(0, header.dataOffset))).toBe(0);
    }
  });

  test.each(['qwen3_moe', 'qwen3_moe_bf16'])('%s holds the tensors that were measured', (folder) => {
    const { tensors } = goldenSchema.parse(JSON.parse(read(folder, 'golden.json').toString())).checkpoint;
    const found = new Map<string, unknown>();
    for (const name of shardsOf(folder)) {
      const file = read(folder, name);
      const header = parseHeader(file, file.byteLength, name);
      for (const { name: tensor, dtype, shape, begin, end } of header.tensors) {
        const bytes = file.subarray(header.dataOffset + begin, header.dataOffset + end);
        found.set(tensor, { dtype, shape, sha256: createHash('sha256').update(bytes).digest('hex') });
      }
    }
    expect(found).toEqual(new Map(Object.entries(tensors)));
  });

  test('the index of qwen3_moe names each tensor’s shard and the size of all', () => {
    const index = parseShardIndex(read('qwen3_moe', INDEX), INDEX);
    const found = new Map<string, string>();
    let size = 0;
    for (const name of shardsOf('qwen3_moe')) {
      const file = read('qwen3_moe', name);
      for (const tensor of parseHeader(file, file.byteLength, name).tensors) {
        found.set(tensor.name, name);
        size += tensor.end - tensor.begin;
      }
    }
    expect(index.weightMap).toEqual(found);
    expect(index.totalSize).toBe(size);
  });
});
