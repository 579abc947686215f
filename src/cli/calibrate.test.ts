import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseStatistics } from '../core/saliency/statistics-file.ts';
import { cli } from './cli-desk.fixture.ts';

const FIXTURE = new URL('../../e2e/fixtures/qwen3-moe-tiny/', import.meta.url).pathname;
const DEMO = new URL('../../public/demo/', import.meta.url).pathname;

let room: string;
let ids: number[][];
const at = (name: string): string => join(room, name);

async function statistics(name: string, ...argv: readonly string[]): ReturnType<typeof load> {
  const out = at(`${name}.stats.json`);
  const { code, err } = await cli(['calibrate', FIXTURE, '--tokens', at('ids.json'), ...argv, '--out', out]);
  expect(code, err).toBe(0);
  return load(out);
}

async function load(file: string): Promise<ReturnType<typeof parseStatistics>> {
  return parseStatistics(await readFile(file, 'utf8'));
}

/** A copy of the fixture or the demo that a test may damage. */
async function copyOf(source: string, name: string): Promise<string> {
  await cp(source, at(name), { recursive: true });
  return at(name);
}

beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-calibrate-'));
  ids = JSON.parse(await readFile(join(FIXTURE, 'expected.json'), 'utf8')).input_ids;
  await writeFile(at('ids.json'), JSON.stringify({ first: ids.slice(0, 3), second: ids.slice(3) }));
});

afterAll(() => rm(room, { recursive: true }));

describe('calibrate and evaluate', () => {
  it('measure, merge shards to the whole, and give the losses of model and plan', async () => {
    const whole = await statistics('whole');
    expect(whole.domains.map(({ name, tokens }) => [name, tokens])).toEqual([
      ['first', 144],
      ['second', 144],
    ]);
    await statistics('one', '--shard', '1/2');
    await statistics('two', '--shard', '2/2');
    expect((await cli(['merge', at('one.stats.json'), at('two.stats.json'), '--out', at('merged.json')])).code).toBe(0);
    const merged = await load(at('merged.json'));
    for (const [i, { domains }] of whole.layers.entries()) {
      for (const [d, { count, gateNormSum }] of domains.entries()) {
        expect(merged.layers[i]?.domains[d]?.count).toEqual(count);
        for (const [e, sum] of gateNormSum.entries())
          expect(merged.layers[i]?.domains[d]?.gateNormSum[e]).toBeCloseTo(sum, 4);
      }
    }
    await cli(['plan', '--stats', at('whole.stats.json'), '--ratio', '0.5', '--out', at('half.plan.json')]);
    const { code, out } = await cli([
      'evaluate',
      FIXTURE,
      '--tokens',
      at('ids.json'),
      '--plan',
      at('half.plan.json'),
      '--json',
    ]);
    expect(code).toBe(0);
    const expected = JSON.parse(await readFile(join(FIXTURE, 'expected.json'), 'utf8'));
    const mean = (of: 'model' | 'pruned'): number => {
      const rows: Record<'model' | 'pruned', { nllSum: number; predictedTokens: number }>[] = JSON.parse(out);
      return (
        rows.reduce((sum, row) => sum + row[of].nllSum, 0) / rows.reduce((sum, row) => sum + row[of].predictedTokens, 0)
      );
    };
    expect(mean('model')).toBeCloseTo(expected.mean_nll, 5);
    expect(mean('pruned')).toBeCloseTo(expected.pruned['50'].mean_nll, 5);
  });

  it('measure only the layers asked for', async () => {
    const some = await statistics('some', '--layers', '1-2');
    expect(some.layers.map(({ layer }) => layer)).toEqual([1, 2]);
    expect(some.layers[0]).toEqual((await statistics('all')).layers[1]);
  });
});

describe('calibrate refuses with exit code 1 and a sentence', () => {
  it.each<readonly [string, () => Promise<readonly string[]>, string]>([
    [
      'a file that is no safetensors',
      async () => {
        const model = await copyOf(FIXTURE, 'no-safetensors');
        await writeFile(join(model, 'model.safetensors'), '<!doctype html><title>Sign in</title>');
        return [model, '--tokens', at('ids.json')];
      },
      'model.safetensors',
    ],
    [
      'a truncated shard',
      async () => {
        const model = await copyOf(FIXTURE, 'truncated');
        await truncate(join(model, 'model.safetensors'), 600_000);
        return [model, '--tokens', at('ids.json')];
      },
      'cut off',
    ],
    [
      'a missing shard',
      async () => {
        const model = await copyOf(join(DEMO, 'model'), 'missing-shard');
        await rm(join(model, 'model-00002-of-00003.safetensors'));
        return [model, '--tokens', at('ids.json')];
      },
      'model-00002-of-00003.safetensors',
    ],
    [
      'an unknown architecture',
      async () => {
        const model = await copyOf(FIXTURE, 'unknown');
        const config = await readFile(join(model, 'config.json'), 'utf8');
        await writeFile(join(model, 'config.json'), config.replace('"qwen3_moe"', '"mamba"'));
        return [model, '--tokens', at('ids.json')];
      },
      '"mamba"',
    ],
    [
      'a tokenizer of another model',
      async () => {
        const model = await copyOf(FIXTURE, 'wrong-tokenizer');
        for (const name of ['tokenizer.json', 'tokenizer_config.json'])
          await cp(join(DEMO, 'model', name), join(model, name));
        return [model, '--corpus', join(DEMO, 'corpora/python.calibration.jsonl')];
      },
      'tokenizer',
    ],
    [
      'text without a tokenizer',
      async () => [FIXTURE, '--corpus', join(DEMO, 'corpora/python.calibration.jsonl')],
      'tokenizer.json',
    ],
    [
      'empty text',
      async () => {
        await writeFile(at('empty.txt'), '');
        return [join(DEMO, 'model'), '--corpus', at('empty.txt')];
      },
      'empty',
    ],
    [
      'a sequence longer than the model takes',
      async () => {
        await writeFile(at('long.json'), JSON.stringify([Array.from({ length: 600 }, () => 1)]));
        return [FIXTURE, '--tokens', at('long.json')];
      },
      '512',
    ],
  ])('%s', async (_, prepare, words) => {
    const { code, err } = await cli(['calibrate', ...(await prepare()), '--out', at('none.json')]);
    expect(code).toBe(1);
    expect(err.toLowerCase()).toContain(words.toLowerCase());
    expect(err).not.toContain('    at ');
  });

  it('and plan one that leaves fewer experts than top-k, export a folder that cannot be written', async () => {
    await statistics('few');
    const planned = await cli([
      'plan',
      '--stats',
      at('few.stats.json'),
      '--ratio',
      '0.88',
      '--out',
      at('few.plan.json'),
    ]);
    expect(planned).toMatchObject({ code: 1, err: expect.stringContaining('2') });
    await cli(['plan', '--stats', at('few.stats.json'), '--ratio', '0.5', '--out', at('fine.plan.json')]);
    await writeFile(at('a-file'), '');
    expect((await cli(['export', FIXTURE, '--plan', at('fine.plan.json'), '--out', at('a-file')])).code).toBe(1);
    await mkdir(at('full'));
    await writeFile(join(at('full'), 'mine.txt'), 'mine');
    const full = await cli(['export', FIXTURE, '--plan', at('fine.plan.json'), '--out', at('full')]);
    expect(full).toMatchObject({ code: 1, err: expect.stringContaining('mine.txt') });
    expect(await readFile(join(at('full'), 'mine.txt'), 'utf8')).toBe('mine');
  });
});
