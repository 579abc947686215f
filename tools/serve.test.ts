import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRODUCTION_HEADERS } from './response-headers.mjs';
import { createStaticServer, listenOnLoopback, parseRange } from './static-server.mjs';

const SCRIPT = 'export const answer = 42;\n'.repeat(200);
const BYTES = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);

let folder: string;
let server: Server;
let port: number;

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends the path as it stands: fetch would resolve the dots of a traversal before they reach the server. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'reap-serve-'));
  const root = join(folder, 'dist');
  mkdirSync(join(root, 'assets'), { recursive: true });
  mkdirSync(join(root, 'demo'));
  mkdirSync(join(folder, 'dist-secret'));
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(folder, 'dist-secret/secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>studio</title>');
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(root, 'assets/main-AbCd1234.js'), SCRIPT);
  for (const name of ['ort-AbCd1234.wasm', 'ort-AbCd1234.mjs']) writeFileSync(join(root, 'assets', name), SCRIPT);
  writeFileSync(join(root, 'demo/shard 1.safetensors'), BYTES);
  writeFileSync(join(root, 'demo/text.jsonl'), '{"text":"a"}\n');
  writeFileSync(join(root, 'demo/config.json'), '{}');
  writeFileSync(join(root, 'empty.txt'), '');
  symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'));
  symlinkSync(join(folder, 'dist-secret/secret.txt'), join(root, 'sibling.txt'));
  server = await createStaticServer(root);
  port = await listenOnLoopback(server, 20_000 + (process.pid % 20_000));
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

describe('headers', () => {
  test.each([
    ['/', 200],
    ['/demo/shard%201.safetensors', 200],
    ['/missing', 404],
  ])('%s carries every production header', async (path, status) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries(PRODUCTION_HEADERS))
      expect(answer.headers[name.toLowerCase()]).toBe(value);
  });

  test('the policy lets no script run but our own and WebAssembly', () => {
    const policy = PRODUCTION_HEADERS['Content-Security-Policy'];
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy).not.toContain("unsafe-eval' ");
    expect(policy).toContain("worker-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/assets/main-AbCd1234.js', 'text/javascript; charset=utf-8'],
    ['/assets/ort-AbCd1234.mjs', 'text/javascript; charset=utf-8'],
    ['/assets/ort-AbCd1234.wasm', 'application/wasm'],
    ['/demo/text.jsonl', 'application/jsonl; charset=utf-8'],
    ['/demo/config.json', 'application/json; charset=utf-8'],
    ['/demo/shard%201.safetensors', 'application/octet-stream'],
  ])('%s is %s', async (path, type) => {
    expect((await ask(path)).headers['content-type']).toBe(type);
  });

  test('hashed assets never expire, the rest is asked for again', async () => {
    expect((await ask('/assets/main-AbCd1234.js')).headers['cache-control']).toContain('immutable');
    expect((await ask('/')).headers['cache-control']).toBe('no-cache');
    expect((await ask('/demo/config.json')).headers['cache-control']).toBe('no-cache');
  });

  test('an unchanged file is not sent again', async () => {
    const { etag } = (await ask('/demo/config.json')).headers;
    const again = await ask('/demo/config.json', { 'If-None-Match': etag ?? '' });
    expect(again.status).toBe(304);
    expect(again.body).toHaveLength(0);
    expect((await ask('/demo/config.json', { 'If-None-Match': '"other"' })).status).toBe(200);
  });
});

describe('ranges', () => {
  const shard = '/demo/shard%201.safetensors';

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=990-', 990, 999],
    ['bytes=-5', 995, 999],
    ['bytes=900-5000', 900, 999],
  ])('%s', async (range, first, last) => {
    const answer = await ask(shard, { Range: range, 'Accept-Encoding': 'gzip' });
    expect(answer.status).toBe(206);
    expect(answer.headers['content-range']).toBe(`bytes ${first}-${last}/1000`);
    expect(answer.headers['content-length']).toBe(String(last - first + 1));
    expect(answer.body).toEqual(Buffer.from(BYTES.slice(first, last + 1)));
  });

  test.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('%s is refused with the size', async (range) => {
    const answer = await ask(shard, { Range: range });
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toBe('bytes */1000');
  });

  test.each(['bytes=5-2', 'bytes=-', 'lines=0-1', 'bytes=0-1,4-5'])(
    '%s is no single range: the whole file',
    async (range) => {
      const answer = await ask(shard, { Range: range });
      expect(answer.status).toBe(200);
      expect(answer.body).toHaveLength(1000);
    },
  );

  test('a range of a file that has changed since is the whole file', async () => {
    expect((await ask(shard, { Range: 'bytes=0-9', 'If-Range': '"older"' })).status).toBe(200);
    const { etag } = (await ask(shard)).headers;
    expect((await ask(shard, { Range: 'bytes=0-9', 'If-Range': etag ?? '' })).status).toBe(206);
  });

  test('a range of compressible text is of the text itself', async () => {
    const answer = await ask('/assets/main-AbCd1234.js', { Range: 'bytes=7-11', 'Accept-Encoding': 'gzip' });
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body.toString()).toBe(SCRIPT.slice(7, 12));
  });

  test('an empty file has no range', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-1', 0)).toBe('unsatisfiable');
  });
});

describe('methods', () => {
  test('HEAD is GET without the body', async () => {
    const head = await ask('/demo/shard%201.safetensors', {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe('1000');
    expect(head.headers['accept-ranges']).toBe('bytes');
    expect(head.body).toHaveLength(0);
    expect((await ask('/missing', {}, 'HEAD')).status).toBe(404);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused', async (method) => {
    const answer = await ask('/', {}, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });

  test('an empty file is served', async () => {
    const answer = await ask('/empty.txt', { 'Accept-Encoding': 'gzip' });
    expect(answer.status).toBe(200);
    expect(answer.body).toHaveLength(0);
  });
});

describe('compression', () => {
  test('text is compressed for who takes it', async () => {
    const answer = await ask('/assets/main-AbCd1234.js', { 'Accept-Encoding': 'br, gzip' });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.headers.vary).toBe('Accept-Encoding');
    expect(answer.body.byteLength).toBeLessThan(SCRIPT.length / 10);
    expect(gunzipSync(answer.body).toString()).toBe(SCRIPT);
    expect((await ask('/assets/main-AbCd1234.js')).body.toString()).toBe(SCRIPT);
  });

  test.each(['/assets/ort-AbCd1234.wasm', '/demo/shard%201.safetensors'])('%s is sent as it is', async (path) => {
    expect((await ask(path, { 'Accept-Encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
  });
});

describe('nothing outside the folder is served', () => {
  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/../dist-secret/secret.txt',
    '//../secret.txt',
    '/link.txt',
    '/sibling.txt',
    '/.hidden',
    '/index.html%00.js',
    '/%',
    '/assets',
    '/assets/',
  ])('%s', async (path) => {
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).not.toContain('secret');
  });
});

test('a taken port is passed over, or refused where it must be that one', async () => {
  const second = await createStaticServer(join(folder, 'dist'));
  try {
    await expect(listenOnLoopback(second, port, 1)).rejects.toThrow(`Port ${port} is taken.`);
    expect(await listenOnLoopback(second, port)).toBeGreaterThan(port);
    expect(second.address()).toMatchObject({ address: '127.0.0.1' });
  } finally {
    second.close();
  }
});
