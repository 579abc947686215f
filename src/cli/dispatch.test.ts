import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlan } from '../core/plan/plan-file.ts';
import { parseStatistics, serialiseStatistics } from '../core/saliency/statistics-file.ts';
import { type CliDesk, cli, deskStatistics, openDesk } from './cli-desk.fixture.ts';
import { COMMANDS } from './command-table.ts';
import { dispatch } from './dispatch.ts';

let desk: CliDesk;
let model: string;
let room: string;
const at = (name: string): string => desk.at(name);

beforeAll(async () => {
  desk = await openDesk();
  ({ model, room } = desk);
});

afterAll(() => desk.close());

describe('the whole job', () => {
  it('merges, plans, exports and verifies', async () => {
    expect(await cli(['merge', at('a.json'), at('b.json'), '--out', at('all.json')])).toMatchObject({
      code: 0,
      err: '',
    });
    const merged = parseStatistics(await readFile(at('all.json'), 'utf8'));
    expect(merged.domains.map(({ name }) => name)).toEqual(['code', 'prose']);

    // REAP scores are e + 1 for every expert that was used: 0 and 1 go.
    const planned = await cli(['plan', '--stats', at('all.json'), '--ratio', '0.5', '--out', at('half.json')]);
    expect(planned).toMatchObject({ code: 0 });
    expect(parsePlan(await readFile(at('half.json'), 'utf8')).layers.map(({ keep }) => keep)).toEqual([
      [2, 3],
      [2, 3],
    ]);

    const exported = await cli(['export', model, '--plan', at('half.json'), '--out', at('pruned'), '--json']);
    expect(exported.code).toBe(0);
    expect(JSON.parse(exported.out)).toMatchObject({ experts: 2, resumedFiles: 0 });

    const verified = await cli(['verify', at('pruned'), '--source', model, '--json']);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({ ok: true, comparedWithSource: true, problems: [] });

    const inspected = await cli(['inspect', at('pruned'), '--json']);
    expect(JSON.parse(inspected.out)).toMatchObject({ experts: 2, architecture: 'qwen3_moe', shards: 3 });
  });

  it('says what is wrong with a changed export, with exit code 1', async () => {
    const config = await readFile(at('pruned/tokenizer.json'), 'utf8');
    await writeFile(at('pruned/tokenizer.json'), config.replace('1', '2'));
    const verified = await cli(['verify', at('pruned')]);
    expect(verified.code).toBe(1);
    expect(verified.out).toContain('file-changed: "tokenizer.json"');
  });

  it('refuses to export into a folder that is not empty', async () => {
    const before = await readdir(model);
    const { code, err } = await cli(['export', model, '--plan', at('half.json'), '--out', model]);
    expect(code).toBe(1);
    expect(err).toContain('is not empty');
    expect(await readdir(model)).toEqual(before);
  });

  it('stops on Ctrl-C and resumes to a right export', async () => {
    const stop = new AbortController();
    let lines = 0;
    const code = await dispatch(['export', model, '--plan', at('half.json'), '--out', at('stopped')], {
      stdout: () => undefined,
      stderr: (text) => {
        if (lines++ === 0) stop.abort(new DOMException('stopped', 'AbortError'));
        else expect(text).toBe('stopped; run again with --resume\n');
      },
      isTerminal: false,
      signal: stop.signal,
    });
    expect(code).toBe(1);
    expect(await readdir(at('stopped'))).not.toContain('config.json');
    expect((await cli(['export', model, '--plan', at('half.json'), '--out', at('stopped')])).err).toContain('--resume');
    expect((await cli(['export', model, '--plan', at('half.json'), '--out', at('stopped'), '--resume'])).code).toBe(0);
    expect((await cli(['verify', at('stopped'), '--source', model])).code).toBe(0);
  });
});

describe('inspect', () => {
  it('prints what the model is and how its tensors were classified', async () => {
    const { code, out } = await cli(['inspect', model]);
    expect(code).toBe(0);
    expect(out).toMatch(/experts +4 a layer, 1 a token, width 4/);
    expect(out).toMatch(/router +2 tensors/);
    expect(out).toMatch(/expert up +8 tensors/);
    expect(out).toContain('README.md, tokenizer.json');
  });

  it('gives every tensor its role in JSON', async () => {
    const { out } = await cli(['inspect', model, '--json']);
    const { tensors } = JSON.parse(out);
    expect(tensors).toContainEqual(
      expect.objectContaining({
        name: 'model.layers.1.mlp.gate.weight',
        dtype: 'BF16',
        shape: [4, 8],
        role: { kind: 'router', part: 'router', layer: 1, suffix: 'weight', expertAxis: 0, nextToken: false },
      }),
    );
  });
});

describe('wrong usage', () => {
  it.each([
    [['plan', '--ratio', '0.5', '--out', 'x'], '--stats is missing'],
    [['plan', '--stats', 'x', '--out', 'y'], 'exactly one of --ratio, --experts and --max-bytes'],
    [['plan', '--stats', 'x', '--out', 'y', '--ratio', '0.1', '--experts', '3'], 'exactly one'],
    [['plan', '--stats', 'x', '--out', 'y', '--max-bytes', '1GB'], '--max-bytes needs --model'],
    [['plan', '--stats', 'x', '--out', 'y', '--ratio', '0.1', '--metric', 'luck'], 'no metric "luck"'],
    [['plan', '--stats', 'x', '--out', 'y', '--ratio', '0.1', '--policy', 'global'], 'no policy "global"'],
    [['export', 'a', 'b', '--plan', 'x', '--out', 'y'], '"b" is one argument too many'],
    [['export', '--plan', 'x', '--out', 'y'], 'MODEL is missing'],
    [['merge', '--out', 'y'], 'stats.json is missing'],
    [['inspect', 'a', '--colour'], '--colour'],
  ])('%j exits 2 with the usage of the command', async (argv, message) => {
    const { code, err, out } = await cli(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`usage: reap-studio ${argv[0]}`);
    expect(err).toContain(message);
  });

  it('without a command, or with an unknown one, prints all usages', async () => {
    for (const argv of [[], ['prune']]) {
      const { code, err } = await cli(argv);
      expect(code).toBe(2);
      for (const { usage } of COMMANDS.values()) expect(err).toContain(usage);
    }
    expect(await cli(['--help'])).toMatchObject({ code: 0, err: '' });
    expect(await cli(['verify', '--help'])).toMatchObject({ code: 0, out: expect.stringContaining('verify DIR') });
  });
});

describe('refusals', () => {
  it('come as an object on stdout with --json', async () => {
    const { code, out, err } = await cli(['inspect', at('nowhere'), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out).error).toMatchObject({
      family: 'source',
      message: expect.stringContaining('nowhere'),
      nextStep: expect.any(String),
    });
    expect(err).toContain('nowhere');
  });

  it('name the file that is missing, or is no folder, or no plan', async () => {
    expect((await cli(['inspect', at('nowhere')])).err).toContain('nowhere');
    expect((await cli(['inspect', at('a.json')])).code).toBe(1);
    expect(await cli(['export', model, '--plan', at('none.json'), '--out', at('new')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('none.json'),
    });
    expect(await cli(['export', model, '--plan', at('a.json'), '--out', at('new')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('not a plan file'),
    });
    expect(await readdir(room)).not.toContain('new');
  });

  it('of a plan for another model say so', async () => {
    const other = deskStatistics('0'.repeat(64), 'code', 'a', [1, 1, 1, 1]);
    await writeFile(at('other.json'), serialiseStatistics(other));
    await cli(['plan', '--stats', at('other.json'), '--ratio', '0.5', '--out', at('other-plan.json')]);
    expect(await cli(['export', model, '--plan', at('other-plan.json'), '--out', at('new')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('another model'),
    });
  });
});
