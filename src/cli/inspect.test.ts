import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from './cli-desk.fixture.ts';

const FIXTURE = new URL('../../e2e/fixtures/qwen3-moe-tiny/', import.meta.url).pathname;

let room: string;
let model: string;
const at = (name: string): string => join(room, name);

async function changeConfig(folder: string, change: (config: Record<string, unknown>) => void): Promise<void> {
  const file = join(folder, 'config.json');
  const config: Record<string, unknown> = JSON.parse(await readFile(file, 'utf8'));
  change(config);
  await writeFile(file, JSON.stringify(config));
}

beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-inspect-'));
  model = at('model');
  await cp(FIXTURE, model, { recursive: true });
  await rm(join(model, 'expected.json'));
  await changeConfig(model, (config) => {
    config['model_type'] = 'brand_new';
    config['architectures'] = ['BrandNewForCausalLM'];
  });
  const { input_ids } = JSON.parse(await readFile(join(FIXTURE, 'expected.json'), 'utf8'));
  await writeFile(at('ids.json'), JSON.stringify(input_ids.slice(0, 1)));
});

afterAll(() => rm(room, { recursive: true }));

describe('a model that no row describes', () => {
  it('is inspected line by line, with evidence, in place of a refusal', async () => {
    const { code, out } = await cli(['inspect', model]);
    expect(code).toBe(0);
    expect(out).toContain('unknown architecture: proposed descriptor');
    expect(out).toMatch(/^ {2}config\.experts +\["num_experts"\]|^ {2}config\.experts +\["num_local_experts"\]/m);
    expect(out).toMatch(/^ {6}certain, config: config\.json: num_(?:local_)?experts = \d+$/m);
    expect(out).toMatch(/^\? router\.gateOn +output\n {6}uncertain, rule: /m);
  });

  it('gives the same as JSON, with the entries for the reference implementation', async () => {
    const { code, out } = await cli(['inspect', model, '--json']);
    expect(code).toBe(0);
    const { architecture, refusal, descriptor, proposal } = JSON.parse(out);
    expect([architecture, refusal.code, descriptor.id]).toEqual([null, 'unknown-architecture', 'brand_new']);
    expect(proposal.block).toMatchObject({ block: 'mlp', router: 'gate', experts: 'experts', fused: false });
    expect(proposal.findings[0]).toEqual({
      field: 'id',
      value: 'brand_new',
      confidence: 'certain',
      evidence: [{ kind: 'config', text: 'config.json: model_type = "brand_new"' }],
    });
    expect(proposal.reference.modelAttributes).toContain('"BrandNewForCausalLM": {\n    "moe_block": "mlp",');
  });

  it('is calibrated, planned, measured, exported and verified by the descriptor that was written', async () => {
    const descriptor = at('new.json');
    expect((await cli(['inspect', model, '--write-descriptor', descriptor])).code).toBe(0);
    const given = ['--descriptor', descriptor];
    const opened = await cli(['inspect', model, ...given, '--json']);
    expect(JSON.parse(opened.out)).toMatchObject({ architecture: 'brand_new', descriptor: { id: 'brand_new' } });
    const [stats, plan, pruned] = [at('stats.json'), at('plan.json'), at('pruned')];
    const tokens = ['--tokens', at('ids.json')];
    const steps = [
      ['calibrate', model, ...given, ...tokens, '--out', stats],
      ['plan', '--stats', stats, '--ratio', '0.5', '--out', plan],
      ['evaluate', model, ...given, ...tokens, '--plan', plan],
      ['export', model, ...given, '--plan', plan, '--out', pruned],
      ['verify', pruned, ...given, '--source', model],
    ];
    for (const argv of steps) {
      const { code, err, out } = await cli(argv);
      expect([argv[0], code], err + out).toEqual([argv[0], 0]);
    }
    const without = await cli(['calibrate', model, ...tokens, '--out', at('other.json'), '--json']);
    expect(JSON.parse(without.out).error).toMatchObject({ code: 'unknown-architecture' });
  });

  it('keeps what a descriptor file already holds, unless it is told to write over it', async () => {
    await writeFile(at('mine.json'), 'mine');
    const refused = await cli(['inspect', model, '--write-descriptor', at('mine.json'), '--json']);
    expect([refused.code, JSON.parse(refused.out).error.code]).toEqual([1, 'file-exists']);
    expect(await readFile(at('mine.json'), 'utf8')).toBe('mine');
    expect((await cli(['inspect', model, '--write-descriptor', at('mine.json'), '--force'])).code).toBe(0);
  });
});

describe('inspect', () => {
  it('shows what it makes of a known family whose tensors do not fit its row', async () => {
    const odd = at('odd');
    await cp(FIXTURE, odd, { recursive: true });
    await changeConfig(odd, (config) => {
      config['model_type'] = 'mixtral';
    });
    const { code, out } = await cli(['inspect', odd, '--json']);
    const { architecture, refusal, proposal } = JSON.parse(out);
    expect([code, architecture, refusal.code]).toEqual([0, null, 'unclassified-tensor']);
    expect(proposal.block.router).toBe('gate');
  });

  it('gives the evidence of a known family as well', async () => {
    const { descriptor, proposal } = JSON.parse((await cli(['inspect', FIXTURE, '--json'])).out);
    expect([descriptor.id, proposal.descriptor.id]).toEqual(['qwen3_moe', 'qwen3_moe']);
    expect(proposal.findings.length).toBeGreaterThan(50);
  });

  it('refuses a descriptor that is none, or that the files do not fit', async () => {
    await writeFile(at('none.json'), '{}');
    const none = await cli(['inspect', model, '--descriptor', at('none.json'), '--json']);
    expect([none.code, JSON.parse(none.out).error.code]).toEqual([1, 'wrong-format']);
    await cli(['inspect', model, '--write-descriptor', at('bent.json')]);
    const bent = (await readFile(at('bent.json'), 'utf8')).replace('mlp.gate"', 'mlp.switch"');
    await writeFile(at('bent.json'), bent);
    const unfit = await cli(['inspect', model, '--descriptor', at('bent.json'), '--json']);
    expect([unfit.code, JSON.parse(unfit.out).error.code]).toEqual([1, 'unclassified-tensor']);
  });
});
