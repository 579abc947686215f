import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { profiledLayer } from '../../core/imports/foreign-files.fixture.ts';
import { parsePlan } from '../../core/plan/plan-file.ts';
import { parseStatistics } from '../../core/saliency/statistics-file.ts';
import { type CliDesk, cli, openDesk } from '../cli-desk.fixture.ts';

let desk: CliDesk;
const at = (name: string): string => desk.at(name);

beforeAll(async () => {
  desk = await openDesk();
  const stats = { '0': profiledLayer([4, 3, 2, 0], 1), '1': profiledLayer([1, 2, 3, 3], 1) };
  await writeFile(at('expert_stats.json'), JSON.stringify(stats));
  await writeFile(at('kept.json'), JSON.stringify({ 'model.layers.0.mlp': [0, 3], 'model.layers.1.mlp': [1, 2] }));
  await writeFile(at('observer.pt'), 'not a torch file');
});

afterAll(() => desk.close());

const planOf = async (name: string) => parsePlan(await readFile(at(name), 'utf8'));

describe('plan', () => {
  it('takes the choice of another tool and exports it', async () => {
    const argv = ['plan', '--import', at('kept.json'), '--model', desk.model, '--out', at('kept.plan.json')];
    const { code, err, out } = await cli([...argv, '--next-token', 'drop']);
    expect([code, out]).toEqual([0, expect.stringContaining('keeps 2 of 4 experts in 2 layers as')]);
    expect(err).toContain('holds no scores');
    expect(await planOf('kept.plan.json')).toMatchObject({
      metric: 'imported',
      nextToken: 'drop',
      layers: [{ keep: [0, 3] }, { keep: [1, 2] }],
    });
    const exported = await cli(['export', desk.model, '--plan', at('kept.plan.json'), '--out', at('kept')]);
    expect(exported.code).toBe(0);
    expect((await cli(['verify', at('kept'), '--source', desk.model])).code).toBe(0);
  });

  it.each(['--import', '--stats'])('chooses by the statistics of another tool given to %s', async (option) => {
    const argv = ['plan', option, at('expert_stats.json'), '--model', desk.model, '--ratio', '0.5', '--force'];
    const { code, err } = await cli([...argv, '--out', at('measured.plan.json')]);
    expect(code).toBe(0);
    expect(err).toContain('six digits');
    expect(await planOf('measured.plan.json')).toMatchObject({
      metric: 'reap',
      calibration: { domains: [{ name: 'expert_stats.json', tokens: 9 }] },
      layers: [{ keep: [1, 2] }, { keep: [2, 3] }],
    });
  });

  it('refuses a metric, or a protection, that the other tool does not measure', async () => {
    const argv = [
      'plan',
      '--import',
      at('expert_stats.json'),
      '--model',
      desk.model,
      '--ratio',
      '0.5',
      '--out',
      at('x'),
    ];
    for (const wish of [['--metric', 'max-activation'], ['--protect-super-experts']]) {
      expect(await cli([...argv, ...wish])).toMatchObject({
        code: 1,
        err: expect.stringContaining('does not measure'),
      });
    }
  });

  it.each([
    [['--import', 'kept.json', '--out', 'x'], '--import needs --model'],
    [['--import', 'kept.json', '--stats', 'a.json', '--out', 'x'], 'either --stats or --import'],
    [['--import', 'kept.json', '--model', 'model', '--ratio', '0.5', '--out', 'x'], 'leave out --ratio'],
    [['--stats', 'expert_stats.json', '--ratio', '0.5', '--out', 'x'], '--model MODEL says which layers'],
    [['--stats', 'kept.json', '--model', 'model', '--ratio', '0.5', '--out', 'x'], 'give it to plan --import'],
    [['--import', 'expert_stats.json', '--model', 'model', '--out', 'x'], 'exactly one of --ratio'],
  ])('%j is wrong usage', async (argv, message) => {
    const { code, err } = await cli(['plan', ...argv.map((arg) => (/^(-|\d)/.test(arg) ? arg : at(arg)))]);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  it.each([
    ['observer.pt', 'is no file of torch.save'],
    ['nowhere.pt', 'There is no file'],
    ['model/config.json', 'has none of the known forms'],
  ])('%s is refused', async (file, message) => {
    const argv = ['plan', '--import', at(file), '--model', desk.model, '--ratio', '0.5', '--out', at('x')];
    expect(await cli(argv)).toMatchObject({ code: 1, err: expect.stringContaining(message) });
  });
});

describe('merge', () => {
  it('turns a file of another tool into statistics, and adds it to others of its kind', async () => {
    const argv = ['merge', at('expert_stats.json'), '--model', desk.model, '--out', at('own.stats.json')];
    expect(await cli(argv)).toMatchObject({ code: 0, err: expect.stringContaining('super experts') });
    const own = parseStatistics(await readFile(at('own.stats.json'), 'utf8'));
    expect(own.imported).toEqual({ tool: 'llama-expert-profile', lacks: ['gateNormSquaredSum', 'maxAbs'] });

    const both = ['merge', at('own.stats.json'), at('a.json'), '--out', at('both.stats.json')];
    expect((await cli(both)).code).toBe(0);
    const merged = parseStatistics(await readFile(at('both.stats.json'), 'utf8'));
    expect(merged.domains.map(({ name }) => name)).toEqual(['expert_stats.json', 'code']);
    expect(merged.imported).toEqual(own.imported);
  });

  it('needs the model for it', async () => {
    expect(await cli(['merge', at('expert_stats.json'), '--out', at('y')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--model MODEL'),
    });
  });
});
