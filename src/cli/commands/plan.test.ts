import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlan } from '../../core/plan/plan-file.ts';
import { serialiseStatistics } from '../../core/saliency/statistics-file.ts';
import { type CliDesk, cli, deskStatistics, openDesk } from '../cli-desk.fixture.ts';

let desk: CliDesk;
let model: string;
const at = (name: string): string => desk.at(name);

beforeAll(async () => {
  desk = await openDesk();
  ({ model } = desk);
});

afterAll(() => desk.close());

describe('plan', () => {
  const keepOf = async (...argv: string[]): Promise<readonly (readonly number[])[]> => {
    const { code, err } = await cli(['plan', '--stats', at('a.json'), '--out', at('p.json'), '--force', ...argv]);
    expect([code, err.includes('usage')]).toEqual([0, false]);
    return parsePlan(await readFile(at('p.json'), 'utf8')).layers.map(({ keep }) => keep);
  };

  it('takes a ratio, a count, a metric and protected experts', async () => {
    expect(await keepOf('--experts', '3')).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(await keepOf('--ratio', '0.5')).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(await keepOf('--ratio', '0.5', '--metric', 'frequency')).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(await keepOf('--ratio', '0.5', '--protect', '1:3')).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  it('protects super experts', async () => {
    const outlier = deskStatistics(desk.fingerprint, 'code', 'c', [5, 3, 2, 4]);
    for (const { domains } of outlier.layers.slice(0, 1)) domains[0]?.maxAbs.set([1000], 0);
    await writeFile(at('outlier.json'), serialiseStatistics(outlier));
    const plan = ['plan', '--stats', at('outlier.json'), '--experts', '2', '--out', at('p.json'), '--force'];
    expect((await cli([...plan, '--protect-super-experts'])).code).toBe(0);
    expect(parsePlan(await readFile(at('p.json'), 'utf8')).layers.map(({ keep }) => keep)[0]).toEqual([0, 3]);
  });

  it('chooses the largest count that fits in a number of bytes', async () => {
    const { bytesOf, total } = await sizes();
    expect(await keepOf('--max-bytes', `${total - bytesOf}`, '--model', model)).toHaveLength(2);
    expect((await keepOf('--max-bytes', `${total - bytesOf}`, '--model', model))[0]).toHaveLength(3);
    expect((await keepOf('--max-bytes', `${total - bytesOf - 1}`, '--model', model))[0]).toHaveLength(2);
    expect((await keepOf('--max-bytes', '1GB', '--model', model))[0]).toHaveLength(4);
    const small = await cli([
      'plan',
      '--stats',
      at('a.json'),
      '--out',
      at('q.json'),
      '--max-bytes',
      '100',
      '--model',
      model,
      '--json',
    ]);
    expect(small.code).toBe(1);
    expect(JSON.parse(small.out).error).toMatchObject({ family: 'plan', code: 'does-not-fit' });
  });

  /** Bytes of all tensors, and those that leave when one expert goes from each layer: 3 × 4 × 8 weights and a router row of 8. */
  async function sizes(): Promise<{ total: number; bytesOf: number }> {
    const { out } = await cli(['inspect', model, '--json']);
    return { total: JSON.parse(out).totalBytes, bytesOf: 2 * 2 * (3 * 4 * 8 + 8) };
  }

  it('refuses a ratio that leaves fewer experts than top-k, and one that is none', async () => {
    expect(await cli(['plan', '--stats', at('a.json'), '--experts', '0', '--out', at('q.json')])).toMatchObject({
      code: 1,
    });
    expect(await cli(['plan', '--stats', at('a.json'), '--ratio', '0.95', '--out', at('q.json')])).toMatchObject({
      code: 1,
    });
    expect(await cli(['plan', '--stats', at('a.json'), '--ratio', 'half', '--out', at('q.json')])).toMatchObject({
      code: 2,
    });
  });

  it('does not write over a file without --force', async () => {
    const plan = ['plan', '--stats', at('a.json'), '--ratio', '0.25', '--out', at('once.json')];
    expect((await cli(plan)).code).toBe(0);
    expect(await cli(plan)).toMatchObject({ code: 1, err: expect.stringContaining('--force') });
    expect((await cli([...plan, '--force'])).code).toBe(0);
  });
});
