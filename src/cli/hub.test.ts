import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HubServer, startHubServer } from '../../tools/hub-server/hub-server.ts';
import { fixturePlan } from '../core/export/small-model.fixture.ts';
import { serialisePlan } from '../core/plan/plan-file.ts';
import { cli } from './cli-desk.fixture.ts';
import { hubModel, type TensorPlace } from './hub-model.fixture.ts';
import { hubSettings } from './open-model.ts';

const MODEL = 'hf:local/model';
const TOKEN = 'hf_secret';
const KEEP = [
  [0, 3, 4, 7],
  [1, 2, 5, 6],
];
const { files, places } = hubModel();
/** Of all shards together, with the eight bytes that give a header's length. */
const HEADER_BYTES = [...files]
  .filter(([name]) => name.endsWith('.safetensors'))
  .reduce((sum, [, bytes]) => sum + 8 + Number(Buffer.from(bytes).readBigUInt64LE(0)), 0);
let hub: HubServer;
let room: string;
let plan: string;

beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-studio-hub-'));
  const local = join(room, 'model');
  await mkdir(local);
  for (const [name, bytes] of files) await writeFile(join(local, name), bytes);
  hub = await startHubServer({
    repos: [
      { kind: 'model', id: 'local/model', files },
      { kind: 'model', id: 'local/secret', files, token: TOKEN },
    ],
  });
  process.env['HF_ENDPOINT'] = hub.endpoint;
  const { fingerprint } = JSON.parse((await cli(['inspect', local, '--json'])).out);
  plan = join(room, 'half.json');
  const summary = { fingerprint, moeLayers: [0, 1], config: { experts: 8 } };
  await writeFile(plan, serialisePlan(fixturePlan(summary, KEEP)));
  expect(await cli(['export', local, '--plan', plan, '--out', join(room, 'from-disk')])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  delete process.env['HF_ENDPOINT'];
  await hub.close();
  await rm(room, { recursive: true, force: true });
});

beforeEach(() => {
  hub.requests.length = 0;
});

afterEach(() => {
  hub.faults.length = 0;
  delete process.env['HF_TOKEN'];
});

/** Bytes of every request for content that was answered, and those of them that lie in the place given. */
function asked(place?: TensorPlace): number {
  let bytes = 0;
  for (const { file, range = '', status } of hub.requests) {
    const [first = Number.NaN, last = Number.NaN] = range.replace('bytes=', '').split('-').map(Number);
    if (status !== 206) continue;
    if (place === undefined) bytes += last + 1 - first;
    else if (file === place.file) bytes += Math.max(0, Math.min(last + 1, place.end) - Math.max(first, place.first));
  }
  return bytes;
}

const expertOf = ({ tensor }: TensorPlace): readonly [layer: number, expert: number] | undefined => {
  const match = /layers\.(\d+)\.mlp\.experts\.(\d+)\./.exec(tensor);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
};
const isDropped = (place: TensorPlace): boolean => {
  const [layer, expert] = expertOf(place) ?? [];
  return layer !== undefined && expert !== undefined && KEEP[layer]?.includes(expert) === false;
};
const sizeOf = (name: string): number => files.get(name)?.byteLength ?? 0;

/** sha256 of every file but the manifest, which names the source. */
async function exported(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(join(room, folder))).filter((name) => !name.includes('manifest')).sort();
  const hash = async (name: string): Promise<string> =>
    createHash('sha256')
      .update(await readFile(join(room, folder, name)))
      .digest('hex');
  return new Map(await Promise.all(names.map(async (name) => [name, await hash(name)] as const)));
}

const exportTo = (folder: string, ...more: string[]) =>
  cli(['export', MODEL, '--plan', plan, '--out', join(room, folder), ...more]);

describe('a model on the hub', () => {
  test('is inspected by its headers alone', async () => {
    const before = hub.bytesSent();
    expect(await cli(['inspect', MODEL])).toMatchObject({ code: 0 });
    const sent = hub.bytesSent() - before;
    expect(sent).toBe(asked());
    expect(sent).toBeLessThanOrEqual(sizeOf('config.json') + sizeOf('model.safetensors.index.json') + HEADER_BYTES);
    expect(places.filter((place) => expertOf(place) !== undefined && asked(place) > 0)).toEqual([]);
  });

  test('is described as the same model on the disk', async () => {
    const described = JSON.parse((await cli(['inspect', MODEL, '--json'])).out);
    const onDisk = JSON.parse((await cli(['inspect', join(room, 'model'), '--json'])).out);
    expect(described.label).toMatch(/^hf:local\/model@[0-9a-f]{40}$/);
    expect({ ...described, label: '' }).toEqual({ ...onDisk, label: '' });
  });

  test('is pruned while it is downloaded: no byte of a dropped expert is asked for', async () => {
    const before = hub.bytesSent();
    expect(await exportTo('from-hub')).toMatchObject({ code: 0 });
    expect(places.filter((place) => isDropped(place) && asked(place) > 0)).toEqual([]);
    const kept = places.filter((place) => !isDropped(place));
    const keptBytes = kept.reduce((sum, { first, end }) => sum + end - first, 0);
    // config.json and the index are read to open the model, and again to be rewritten.
    const besides = sizeOf('tokenizer.json') + 2 * (sizeOf('config.json') + sizeOf('model.safetensors.index.json'));
    const sent = hub.bytesSent() - before;
    expect(sent).toBe(asked());
    expect(sent).toBeLessThanOrEqual(keptBytes + besides + HEADER_BYTES);
    const files = await exported('from-hub');
    expect(files.size).toBeGreaterThan(4);
    expect(files).toEqual(await exported('from-disk'));
  });

  test('is verified against the hub', async () => {
    const { code, out } = await cli(['verify', join(room, 'from-hub'), '--source', MODEL, '--json']);
    expect(JSON.parse(out)).toMatchObject({ ok: true, comparedWithSource: true, problems: [] });
    expect(code).toBe(0);
  });
});

describe('an export from the hub', () => {
  test('comes out the same through expired links, failing servers and broken connections', async () => {
    hub.faults.push(
      { on: 'content', kind: 'status', status: 403, file: 'model-00001-of-00002.safetensors', after: 3, times: 1 },
      { on: 'content', kind: 'status', status: 503, after: 4, times: 1 },
      { on: 'content', kind: 'cut', afterBytes: 5000, after: 6, times: 1 },
      { on: 'api', kind: 'status', status: 502, times: 1 },
    );
    expect(await exportTo('through-faults')).toMatchObject({ code: 0 });
    expect(hub.faults).toEqual([]);
    expect(await exported('through-faults')).toEqual(await exported('from-disk'));
  });

  test('stops with a sentence when the file becomes another, and goes on from the same commit', async () => {
    hub.faults.push({ on: 'content', kind: 'other-etag', file: 'model-00002-of-00002.safetensors', after: 2 });
    const stopped = await exportTo('stopped');
    expect(stopped.code).toBe(1);
    expect(stopped.err).toContain('"model-00002-of-00002.safetensors" changed after it was opened');
    hub.faults.length = 0;
    expect(await exportTo('stopped', '--resume')).toMatchObject({ code: 0 });
    expect(await exported('stopped')).toEqual(await exported('from-disk'));
  });
});

describe('a token', () => {
  test('comes from the environment, and is asked for where it is missing', async () => {
    const refused = await cli(['inspect', 'hf:local/secret']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('HF_TOKEN');
    process.env['HF_TOKEN'] = TOKEN;
    const opened = await cli(['inspect', 'hf:local/secret']);
    expect(opened.code).toBe(0);
    process.env['HF_TOKEN'] = `${TOKEN}x`;
    const wrong = await cli(['inspect', 'hf:local/secret']);
    expect(wrong.code).toBe(1);
    expect(opened.out + opened.err + wrong.out + wrong.err).not.toContain(TOKEN);
  });

  test('is read under the names that the hub’s tools use', () => {
    expect(hubSettings({})).toEqual({ endpoint: 'https://huggingface.co' });
    expect(hubSettings({ HF_ENDPOINT: 'http://mirror', HF_TOKEN: 'a', HUGGING_FACE_HUB_TOKEN: 'b' })).toEqual({
      endpoint: 'http://mirror',
      token: 'a',
    });
    expect(hubSettings({ HF_ENDPOINT: '', HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: 'b' })).toEqual({
      endpoint: 'https://huggingface.co',
      token: 'b',
    });
  });
});

test.each([
  ['hf:gpt2', 2, 'lacks the owner'],
  ['hf:local/nothing', 1, 'no public model'],
  ['hf:local/model@v9', 1, 'no revision "v9"'],
])('%s is refused with exit code %d', async (name, code, words) => {
  const refused = await cli(['inspect', name]);
  expect(refused).toMatchObject({ code, out: '' });
  expect(refused.err).toContain(words);
});
