import { createHash } from 'node:crypto';
import { listFiles, modelInfo } from '@huggingface/hub';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HubServer, startHubServer } from './hub-server.ts';

const bytes = new Uint8Array(200_000).map((_, index) => index % 251);
const config = new TextEncoder().encode('{"model_type":"tiny"}');
let hub: HubServer;

beforeAll(async () => {
  hub = await startHubServer({
    repos: [
      {
        kind: 'model',
        id: 'local/tiny',
        files: { 'model.safetensors': bytes, 'config.json': config, 'onnx/model.onnx': config },
      },
      { kind: 'model', id: 'local/secret', files: { 'config.json': config }, token: 'hf_secret' },
      { kind: 'model', id: 'local/gated', files: { 'config.json': config }, token: 'hf_secret', gated: true },
      { kind: 'dataset', id: 'local/text', files: { 'a.jsonl': config } },
      {
        kind: 'dataset',
        id: 'local/text',
        commit: 'c'.repeat(40),
        revisions: { 'refs/convert/parquet': 'c'.repeat(40) },
        files: { 'default/train/0000.parquet': bytes },
      },
    ],
    pageSize: 2,
  });
});
afterAll(() => hub.close());
beforeEach(() => {
  hub.faults.length = 0;
  hub.requests.length = 0;
});

const resolveAddress = (path: string): string => `${hub.endpoint}/local/tiny/resolve/main/${path}`;

test('lists files over several pages, with hashes of the large ones', async () => {
  const files = [];
  for await (const file of listFiles({ repo: 'local/tiny', hubUrl: hub.endpoint, recursive: true })) files.push(file);
  expect(files.map(({ type, path, size }) => [type, path, size])).toEqual([
    ['file', 'config.json', config.byteLength],
    ['file', 'model.safetensors', 200_000],
    ['directory', 'onnx', 0],
    ['file', 'onnx/model.onnx', config.byteLength],
  ]);
  expect(files[1]?.lfs?.oid).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(files[0]?.lfs).toBeUndefined();
  expect(hub.requests).toHaveLength(2);
});

test('keeps the files of a folder out of a flat listing', async () => {
  const paths = [];
  for await (const { path } of listFiles({ repo: 'local/tiny', hubUrl: hub.endpoint })) paths.push(path);
  expect(paths).toEqual(['config.json', 'model.safetensors', 'onnx']);
});

test('names the commit of a revision', async () => {
  const { sha } = await modelInfo({ name: 'local/tiny', hubUrl: hub.endpoint, additionalFields: ['sha'] });
  expect(sha).toMatch(/^[0-9a-f]{40}$/);
  const parquet = await fetch(`${hub.endpoint}/api/datasets/local/text/revision/refs%2Fconvert%2Fparquet`);
  expect(await parquet.json()).toMatchObject({ sha: 'c'.repeat(40) });
});

test('sends a range of a large file from the other host, and counts its bytes', async () => {
  const before = hub.bytesSent();
  const response = await fetch(resolveAddress('model.safetensors'), { headers: { Range: 'bytes=1000-1999' } });
  expect(response.status).toBe(206);
  expect(response.url.startsWith(`${hub.contentOrigin}/signed/`)).toBe(true);
  expect(response.headers.get('content-range')).toBe('bytes 1000-1999/200000');
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.subarray(1000, 2000));
  expect(hub.bytesSent() - before).toBe(1000);
  expect(hub.requests.map(({ status, file, range, bytes }) => [status, file, range, bytes])).toEqual([
    [302, 'model.safetensors', 'bytes=1000-1999', 0],
    [206, 'model.safetensors', 'bytes=1000-1999', 1000],
  ]);
});

test.each([
  ['bytes=199990-', 206, 199_990, 10],
  ['bytes=-5', 206, 199_995, 5],
  ['bytes=199990-999999', 206, 199_990, 10],
  ['bytes=5-2', 200, 0, 200_000],
  ['lines=0-1', 200, 0, 200_000],
  ['bytes=200000-', 416, 0, 0],
])('answers the range %s with status %d', async (range, status, first, length) => {
  const response = await fetch(resolveAddress('model.safetensors'), { headers: { Range: range } });
  expect(response.status).toBe(status);
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.subarray(first, first + length));
});

test('sends a small file from the hub itself', async () => {
  const response = await fetch(resolveAddress('config.json'));
  expect(response.url.startsWith(hub.endpoint)).toBe(true);
  expect(await response.json()).toEqual({ model_type: 'tiny' });
});

test('forbids a signed address that expired', async () => {
  const { url } = await fetch(resolveAddress('model.safetensors'), { headers: { Range: 'bytes=0-0' } });
  expect((await fetch(url, { headers: { Range: 'bytes=0-0' } })).status).toBe(206);
  hub.expireLinks();
  expect((await fetch(url, { headers: { Range: 'bytes=0-0' } })).status).toBe(403);
});

test.each([
  ['secret', undefined, 401, 'RepoNotFound'],
  ['secret', 'hf_other', 404, 'RepoNotFound'],
  ['secret', 'hf_secret', 200, null],
  ['gated', undefined, 401, 'GatedRepo'],
  ['gated', 'hf_other', 403, 'GatedRepo'],
  ['gated', 'hf_secret', 200, null],
  ['missing', undefined, 401, 'RepoNotFound'],
  ['missing', 'hf_secret', 404, 'RepoNotFound'],
])('answers for %s with token %s: status %d', async (name, token, status, code) => {
  const response = await fetch(`${hub.endpoint}/local/${name}/resolve/main/config.json`, {
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  });
  expect([response.status, response.headers.get('x-error-code')]).toEqual([status, code]);
});

test('lists a gated repository for everyone', async () => {
  const answers = ['gated', 'secret'].map((name) => fetch(`${hub.endpoint}/api/models/local/${name}/tree/main`));
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 401]);
});

test('counts a fault down, and lets answers through before it', async () => {
  hub.faults.push({ on: 'content', kind: 'status', status: 503, times: 2, after: 1, retryAfterSeconds: 7 });
  const statuses = [];
  for (let count = 0; count < 4; count += 1) statuses.push((await fetch(resolveAddress('config.json'))).status);
  expect(statuses).toEqual([200, 503, 503, 200]);
});

test('cuts a connection after so many bytes', async () => {
  hub.faults.push({ on: 'content', kind: 'cut', afterBytes: 70_000, times: 1 });
  const before = hub.bytesSent();
  const response = await fetch(resolveAddress('model.safetensors'));
  await expect(response.arrayBuffer()).rejects.toThrow();
  expect(hub.bytesSent() - before).toBe(70_000);
});

test.each([
  ['wrong-range', 206, 'bytes 11-20/200000', 10],
  ['whole-file', 200, null, 200_000],
  ['other-etag', 206, 'bytes 10-19/200000', 10],
  ['gzip', 206, 'bytes 10-19/200000', 10],
  ['html', 200, null, 71],
] as const)('does wrong: %s', async (kind, status, range, length) => {
  hub.faults.push({ on: 'content', kind, times: 1 });
  const response = await fetch(resolveAddress('model.safetensors'), { headers: { Range: 'bytes=10-19' } });
  expect([response.status, response.headers.get('content-range')]).toEqual([status, range]);
  expect((await response.arrayBuffer()).byteLength).toBe(length);
});
