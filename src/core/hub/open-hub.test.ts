import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type HubServer, startHubServer } from '../../../tools/hub-server/hub-server.ts';
import type { HubQuery } from './hub-repo.ts';
import { resolveHub } from './open-hub.ts';

const CONFIG = new TextEncoder().encode('{"model_type":"tiny"}');
const WEIGHTS = new Uint8Array(5000).map((_, index) => index % 251);
const TOKEN = 'secret-token-of-the-mirror';
const COMMIT = 'c'.repeat(40);
let hub: HubServer;
let waits: number[] = [];

beforeAll(async () => {
  const files = {
    '.gitattributes': CONFIG,
    'config.json': CONFIG,
    'model.safetensors': WEIGHTS,
    'onnx/model.onnx': CONFIG,
    'original/model.safetensors': WEIGHTS,
  };
  hub = await startHubServer({
    repos: [
      { kind: 'model', id: 'local/tiny', commit: COMMIT, revisions: { main: COMMIT, 'refs/pr/1': COMMIT }, files },
      { kind: 'model', id: 'local/secret', files, token: TOKEN },
      { kind: 'model', id: 'local/gated', files, token: TOKEN, gated: true },
      { kind: 'dataset', id: 'local/text', files: { 'data/train-0.parquet': WEIGHTS, 'README.md': CONFIG } },
    ],
    pageSize: 2,
  });
});
afterAll(() => hub.close());
beforeEach(() => {
  hub.faults.length = 0;
  hub.requests.length = 0;
  waits = [];
});

const access = {
  fetch,
  wait: async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
  },
};
const query = (repo: string, more: Partial<HubQuery> = {}): HubQuery => ({ repo, endpoint: hub.endpoint, ...more });
const resolve = (repo: string, more: Partial<HubQuery> = {}, through = access) =>
  resolveHub(query(repo, more), through);
/** Takes silence for a failure early. */
const impatient = { ...access, stallMs: 500 };

describe('a repository that is there', () => {
  test('is pinned at its commit, with the files at its top level and the hashes of the large ones', async () => {
    const opened = await resolve('local/tiny', { endpoint: `${hub.endpoint}/` });
    expect(opened).toEqual({
      hub: { kind: 'model', repo: 'local/tiny', commit: COMMIT, endpoint: hub.endpoint },
      files: [
        { name: '.gitattributes', size: CONFIG.byteLength },
        { name: 'config.json', size: CONFIG.byteLength },
        { name: 'model.safetensors', size: 5000, sha256: createHash('sha256').update(WEIGHTS).digest('hex') },
      ],
    });
    expect(hub.requests.map(({ path }) => path.split('?')[0])).toEqual([
      '/api/models/local/tiny/revision/HEAD',
      ...Array(3).fill(`/api/models/local/tiny/tree/${COMMIT}`),
    ]);
    expect(hub.bytesSent()).toBe(0);
  });

  test('sends no header on a public one that would need a preflight', async () => {
    await resolve('local/tiny');
    for (const { headers } of hub.requests) {
      expect(Object.keys(headers).sort()).toEqual(
        ['accept', 'accept-encoding', 'accept-language', 'connection', 'host', 'sec-fetch-mode', 'user-agent'].sort(),
      );
    }
  });

  test.each([['refs/pr/1'], [COMMIT]])('is found at the revision %s', async (revision) => {
    expect((await resolve('local/tiny', { revision })).hub.commit).toBe(COMMIT);
  });

  test('as a data set lists the files of all folders', async () => {
    const { hub: found, files } = await resolve('local/text', { kind: 'dataset' });
    expect(found.kind).toBe('dataset');
    expect(files.map(({ name }) => name)).toEqual(['README.md', 'data/train-0.parquet']);
  });

  test('needs its token when it is private, and keeps it with the commit', async () => {
    const { hub: found } = await resolve('local/secret', { token: TOKEN });
    expect(found.token).toBe(TOKEN);
    expect(hub.requests.every(({ authorised }) => authorised)).toBe(true);
  });

  test.each(['cut', 'stall', 'status'] as const)('is found after a failure that passes: %s', async (kind) => {
    const place = { on: 'api', times: 2 } as const;
    hub.faults.push(kind === 'status' ? { ...place, kind, status: 503 } : { ...place, kind, afterBytes: 0 });
    expect((await resolve('local/tiny', {}, kind === 'stall' ? impatient : access)).files).toHaveLength(3);
    expect(waits.slice(0, 2)).toEqual([250, 1000]);
  });
});

describe('a repository that is refused', () => {
  test.each([
    ['local/secret', {}, 'unauthorised', /no public model "local\/secret".*misspelt.*private/],
    ['local/nothing', {}, 'unauthorised', /no public model "local\/nothing"/],
    ['local/nothing', { token: TOKEN }, 'not-found', /has no model "local\/nothing"/],
    ['local/secret', { token: 'hf_wrong' }, 'not-found', /or the token may not see it/],
    ['local/tiny', { revision: 'v9' }, 'revision-not-found', /"local\/tiny" has no revision "v9"/],
    ['local/text', {}, 'unauthorised', /no public model/],
    ['local/tiny', { endpoint: 'http://127.0.0.1:1' }, 'unreachable', /127\.0\.0\.1:1/],
  ])('%s with %j is %s', async (repo, more, code, message) => {
    const refusal = resolve(repo, more);
    await expect(refusal).rejects.toMatchObject({ family: 'source', code, nextStep: expect.stringMatching(/\.$/) });
    await expect(refusal).rejects.toThrow(message);
  });

  test.each([
    [{ kind: 'status', status: 503 }, 'bad-status'],
    [{ kind: 'status', status: 429 }, 'rate-limited'],
    [{ kind: 'status', status: 400 }, 'bad-status'],
    [{ kind: 'stall', afterBytes: 0 }, 'stalled'],
    [{ kind: 'html' }, 'not-a-hub'],
  ] as const)('after %j as %s', async (fault, code) => {
    hub.faults.push({ on: 'api', ...fault });
    await expect(resolve('local/tiny', {}, code === 'stalled' ? impatient : access)).rejects.toMatchObject({
      family: 'source',
      code,
    });
  });

  test('at once where the hub asks for a long pause', async () => {
    hub.faults.push({ on: 'api', kind: 'status', status: 429, retryAfterSeconds: 240 });
    await expect(resolve('local/tiny')).rejects.toMatchObject({ code: 'rate-limited' });
    expect(waits).toEqual([]);
  });

  test.each([
    ['local/tiny', { endpoint: 'ftp://host' }, 'bad-endpoint'],
    ['local/tiny', { endpoint: 'https://user:secret-token-of-the-mirror@host' }, 'bad-endpoint'],
    ['local/tiny', { token: `${TOKEN}\n` }, 'bad-token'],
    ['local/tiny/../secret', {}, 'bad-repo-name'],
    ['local/tiny', { revision: '../x' }, 'bad-revision'],
  ])('before anything is asked: %s with %j', async (repo, more, code) => {
    const refusal = resolve(repo, more);
    await expect(refusal).rejects.toMatchObject({ family: 'usage', code });
    await expect(refusal).rejects.not.toThrow(TOKEN);
    expect(hub.requests).toHaveLength(0);
  });

  test('when the person wants no more of it', async () => {
    hub.faults.push({ on: 'api', kind: 'stall', afterBytes: 0 });
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 20);
    await expect(resolveHub(query('local/tiny'), { fetch }, controller.signal)).rejects.toBe(reason);
  });
});

test('a token is in no error', async () => {
  for (const repo of ['local/nothing', 'local/secret', 'local/gated']) {
    for (const more of [{ token: `${TOKEN}x` }, { token: TOKEN, endpoint: 'http://127.0.0.1:1' }]) {
      const thrown = await resolve(repo, more).catch((error: unknown) => error);
      const chain = [];
      for (let error = thrown; error instanceof Error; error = error.cause) chain.push(String(error), { ...error });
      expect(JSON.stringify(chain)).not.toContain(TOKEN);
    }
  }
});

describe('a hub that cannot be trusted', () => {
  /** A hub that answers with these bodies in order, and the addresses that were asked. */
  const scripted = (...answers: readonly (readonly [unknown, Record<string, string>?])[]) => {
    const asked: { url: string; authorised: boolean }[] = [];
    let next = 0;
    const fetch: typeof globalThis.fetch = async (input, init) => {
      asked.push({ url: String(input), authorised: new Headers(init?.headers).has('authorization') });
      const [body, headers = {}] = answers[Math.min(next++, answers.length - 1)] ?? [null];
      return Response.json(body, { headers });
    };
    return { asked, resolve: () => resolveHub({ repo: 'a/b', endpoint: 'https://hub', token: TOKEN }, { fetch }) };
  };
  const info = [{ id: 'a/b', sha: COMMIT, lastModified: '2026-01-01' }] as const;
  const file = (path: unknown, size: unknown = 1) => ({ type: 'file', path, size, oid: '0' });

  test('has its unsafe names left out', async () => {
    const names = ['../a', '..', '.', 'a/b', 'a\\b', 'a:b', 'nul', 'COM1.txt', 'a\u0000', 'a\u202eb', ' a', 'a.', ''];
    const { resolve } = scripted(info, [[...names, 'config.json', '__proto__'].map((name) => file(name))]);
    expect((await resolve()).files.map(({ name }) => name)).toEqual(['config.json', '__proto__']);
  });

  test.each([
    ['no commit', [[{ id: 'a/b' }]]],
    ['a commit that is none', [[{ id: 'a/b', sha: '../../x' }]]],
    ['a file twice', [info, [[file('a'), file('a')]]]],
    ['a file without a name', [info, [[file(7)]]]],
    ['a file without a size', [info, [[file('a', null)]]]],
    ['a negative size', [info, [[file('a', -1)]]]],
    ['a listing that is no list', [info, [{ error: 'no' }]]],
    ['no data at all', [[null]]],
  ] as const)('is refused with %s', async (_, answers) => {
    await expect(scripted(...answers).resolve()).rejects.toMatchObject({ family: 'source', code: 'not-a-hub' });
  });

  test('is left when its listing has no end', async () => {
    const { resolve, asked } = scripted(info, [[], { Link: '<https://hub/next>; rel="next"' }]);
    await expect(resolve()).rejects.toMatchObject({ code: 'not-a-hub' });
    expect(asked).toHaveLength(1 + 1000);
  });

  test('is left when it lists more files than there can be', async () => {
    const { resolve } = scripted(info, [Array(200_001).fill({})]);
    await expect(resolve()).rejects.toMatchObject({ code: 'not-a-hub' });
  });

  test('gets the token back from no other host', async () => {
    const { resolve, asked } = scripted(
      info,
      [[file('a')], { Link: '<https://elsewhere/next>; rel="next"' }],
      [[file('b')]],
    );
    await resolve();
    expect(asked.map(({ url, authorised }) => [new URL(url).host, authorised])).toEqual([
      ['hub', true],
      ['hub', true],
      ['elsewhere', false],
    ]);
  });
});
