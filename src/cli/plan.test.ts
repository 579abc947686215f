import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../core/checkpoint/open-checkpoint.ts';
import { familyModel } from '../core/export/family-model.fixture.ts';
import { DEEPSEEK_MTP } from '../core/export/layouts.fixture.ts';
import { parsePlan } from '../core/plan/plan-file.ts';
import { serialiseStatistics } from '../core/saliency/statistics-file.ts';
import { cli, deskStatistics } from './cli-desk.fixture.ts';

let room: string;
let model: string;
const at = (name: string): string => join(room, name);

/** A DeepSeek-V3 of eight experts in two groups with a further-token layer, and statistics by which low indices go first. */
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-studio-plan-'));
  model = at('model');
  await mkdir(model);
  const source = familyModel(DEEPSEEK_MTP);
  for (const [name, bytes] of source.files) await writeFile(join(model, name), bytes);
  const { fingerprint } = await openCheckpoint(source.asSource());
  const { layers, ...head } = deskStatistics(fingerprint, 'code', 'a', [1, 1, 1, 1, 1, 1, 1, 1]);
  const statistics = {
    ...head,
    domains: head.domains.map((domain) => ({ ...domain, tokens: 4 })),
    model: { ...head.model, architecture: 'deepseek_v3' },
    layers: layers.slice(1).map(({ domains }) => ({
      layer: 1,
      experts: 8,
      topK: 2,
      groups: { count: 2, chosen: 1, least: 2 },
      domains: domains.map((domain) => ({ ...domain, tokens: 4 })),
    })),
  };
  await writeFile(at('stats.json'), serialiseStatistics(statistics));
});

afterAll(() => rm(room, { recursive: true, force: true }));

async function keptBy(...options: readonly string[]) {
  const result = await cli(['plan', '--stats', at('stats.json'), '--out', at('plan.json'), '--force', ...options]);
  const plan = result.code === 0 ? parsePlan(await readFile(at('plan.json'), 'utf8')) : undefined;
  return { ...result, keep: plan?.layers[0]?.keep, nextToken: plan?.nextToken };
}

describe('plan for a router that chooses among groups', () => {
  it('takes as many from each group when it knows the model', async () => {
    expect(await keptBy('--ratio', '0.5', '--model', model)).toMatchObject({ err: '', keep: [2, 3, 6, 7] });
    const snapped = await keptBy('--ratio', '0.4', '--model', model);
    expect(snapped).toMatchObject({ code: 0, keep: [1, 2, 3, 5, 6, 7] });
    expect(snapped.err).toContain('2 experts go in place of 3');
    expect(await keptBy('--experts', '5', '--model', model)).toMatchObject({
      code: 1,
      err: expect.stringContaining('Keep 4 or 6 experts'),
    });
  });

  it('knows the groups from the statistics alone', async () => {
    const byModel = await keptBy('--ratio', '0.5', '--model', model);
    const byStatistics = await keptBy('--ratio', '0.5');
    expect(byStatistics).toMatchObject({ code: 0, keep: byModel.keep });
    expect((await cli(['export', model, '--plan', at('plan.json'), '--out', at('by-statistics')])).code).toBe(0);
  });
});

describe('plan --next-token', () => {
  it('prunes the further-token layers or leaves them out', async () => {
    expect(await keptBy('--ratio', '0.5', '--model', model)).toMatchObject({ nextToken: 'prune' });
    expect(await keptBy('--ratio', '0.5', '--model', model, '--next-token', 'drop')).toMatchObject({
      nextToken: 'drop',
    });
    expect((await cli(['export', model, '--plan', at('plan.json'), '--out', at('without')])).code).toBe(0);
    expect(JSON.parse(await readFile(at('without/config.json'), 'utf8'))).toMatchObject({
      n_routed_experts: 4,
      num_nextn_predict_layers: 0,
    });
    expect((await cli(['verify', at('without'), '--source', model])).code).toBe(0);
  });

  it('knows no other word', async () => {
    expect(await keptBy('--ratio', '0.5', '--next-token', 'keep')).toMatchObject({
      code: 2,
      err: expect.stringContaining('prune or drop'),
    });
  });

  it('counts towards --max-bytes, in steps of whole groups', async () => {
    const bytes = await cli(['inspect', model, '--json']);
    const { totalBytes } = JSON.parse(bytes.out);
    // An expert of a layer takes 3 × 4 × 32 × 2 bytes and a router row 32 × 2; a BF16 bias 2 in the layer, an F32 bias 4 beyond it.
    const expert = 3 * 4 * 32 * 2 + 32 * 2;
    const two = (expert + 2 + expert + 4) * 2;
    const keep = async (...options: readonly string[]) => (await keptBy('--model', model, ...options)).keep?.length;
    expect(await keep('--max-bytes', String(totalBytes))).toBe(8);
    expect(await keep('--max-bytes', String(totalBytes - 1))).toBe(6);
    expect(await keep('--max-bytes', String(totalBytes - two))).toBe(6);
    expect(await keep('--max-bytes', String(totalBytes - two - 1))).toBe(4);
    expect(await keep('--max-bytes', String(totalBytes - two - 1), '--next-token', 'drop')).toBe(8);
    expect(await keptBy('--model', model, '--max-bytes', '1000')).toMatchObject({
      code: 1,
      err: expect.stringContaining('With 4 experts a layer, the fewest possible'),
    });
  });
});
