import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeByteSource, sampleBytes } from './byte-source-contract.fixture.ts';
import { describeSourceFolder } from './folder-contract.fixture.ts';
import { HttpFolder } from './http-folder.ts';
import { HttpRangeSource } from './http-range-source.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const files = new Map<string, Uint8Array<ArrayBuffer>>();
let server: Server;
let origin = '';
/** Requests as they came: method and Range. */
let asked: string[] = [];
let etag: string | undefined = '"one"';
let modified: string | undefined;
/** Takes the next requests in place of the file; one entry each. */
let instead: (Answer | undefined)[] = [];
let waits: number[] = [];

const wait = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
  waits.push(milliseconds);
  signal?.throwIfAborted();
};

/** Answers like any server that knows ranges. */
const serveFile: Answer = (request, response) => {
  const bytes = files.get(decodeURIComponent((request.url ?? '').slice(1)));
  if (bytes === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (etag !== undefined) response.setHeader('ETag', etag);
  if (modified !== undefined) response.setHeader('Last-Modified', modified);
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200, { 'Content-Length': bytes.byteLength }).end(bytes);
    return;
  }
  const first = Number(range[1]);
  const last = Math.min(Number(range[2]), bytes.byteLength - 1);
  if (first > last) {
    response.writeHead(416, { 'Content-Range': `bytes */${bytes.byteLength}` }).end();
    return;
  }
  response.writeHead(206, {
    'Content-Range': `bytes ${first}-${last}/${bytes.byteLength}`,
    'Content-Length': last - first + 1,
  });
  response.end(bytes.subarray(first, last + 1));
};

const status =
  (code: number): Answer =>
  (_, response) =>
    void response.writeHead(code).end();
const hangUp: Answer = (request) => void request.socket.destroy();
const wholeFile: Answer = (_, response) => {
  const bytes = files.get('a') ?? new Uint8Array();
  response.writeHead(200, { 'Content-Length': bytes.byteLength }).end(bytes);
};
const partial =
  (contentRange: string, body: Uint8Array): Answer =>
  (_, response) => {
    response.writeHead(206, { ...(contentRange === '' ? {} : { 'Content-Range': contentRange }) }).end(body);
  };

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.range}`);
    (instead.shift() ?? serveFile)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  origin = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

beforeEach(() => {
  files.clear();
  asked = [];
  waits = [];
  instead = [];
  etag = '"one"';
  modified = undefined;
});

async function open(bytes = sampleBytes(1000)): Promise<HttpRangeSource> {
  files.set('a', bytes);
  return HttpRangeSource.open(`${origin}/a`, 'a', { fetch, wait });
}

describeByteSource('HttpRangeSource', async (name, bytes) => {
  files.set(name, bytes);
  return HttpRangeSource.open(`${origin}/${name}`, name, { fetch, wait });
});

describeSourceFolder('HttpFolder', async (held) => {
  for (const [name, bytes] of held) files.set(name, bytes);
  return new HttpFolder('hub', origin, [...held.keys()], { fetch, wait });
});

describe('what is asked of the server', () => {
  test('one byte to open, then plain ranges and nothing for no bytes', async () => {
    const source = await open();
    await source.read(10, 20);
    await source.read(0, 0);
    expect(asked).toEqual(['GET bytes=0-0', 'GET bytes=10-29']);
  });

  test('fetch is called as a plain function, as browsers demand', async () => {
    files.set('a', sampleBytes(10));
    const strict = function (this: unknown, ...parameters: Parameters<typeof fetch>): ReturnType<typeof fetch> {
      if (this !== undefined) throw new TypeError('Illegal invocation');
      return fetch(...parameters);
    };
    expect((await HttpRangeSource.open(`${origin}/a`, 'a', { fetch: strict, wait })).size).toBe(10);
  });

  test('a folder asks once for each file that it opens', async () => {
    files.set('a', sampleBytes(10));
    const folder = new HttpFolder('hub', `${origin}/`, ['a'], { fetch, wait });
    expect(await folder.open('a')).toBe(await folder.open('a'));
    expect(asked).toHaveLength(1);
  });
});

describe('a failure that may pass', () => {
  test.each([
    ['a hang-up', hangUp],
    ['status 500', status(500)],
    ['status 503', status(503)],
    ['status 429', status(429)],
    ['status 408', status(408)],
    ['a short body', partial('bytes 0-9/1000', sampleBytes(9))],
  ])('is tried again after %s', async (_, answer) => {
    const source = await open();
    instead = [answer, answer, answer];
    expect(await source.read(0, 10)).toEqual(sampleBytes(1000).subarray(0, 10));
    expect(asked).toHaveLength(1 + 4);
    expect(waits).toEqual([250, 1000, 4000]);
  });

  test.each([
    ['unreachable', hangUp],
    ['bad-status', status(502)],
    ['short-read', partial('bytes 0-9/1000', sampleBytes(9))],
  ])('stands as %s after four tries', async (code, answer) => {
    const source = await open();
    instead = [answer, answer, answer, answer, undefined];
    await expect(source.read(0, 10)).rejects.toMatchObject({ family: 'source', code, details: { file: 'a' } });
    expect(asked).toHaveLength(1 + 4);
  });

  test('is tried again when the file is opened as well', async () => {
    instead = [hangUp, status(500)];
    expect((await open()).size).toBe(1000);
  });
});

describe('a failure that stays', () => {
  test.each([400, 401, 403, 404])('status %d is not tried again', async (code) => {
    instead = [status(code)];
    await expect(open()).rejects.toMatchObject({ code: 'bad-status', details: { file: 'a', status: code } });
    const source = await open();
    instead = [status(code)];
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'bad-status', details: { status: code } });
    expect(asked).toHaveLength(3);
  });

  test.each([
    ['another range', partial('bytes 1-10/1000', sampleBytes(10))],
    ['a shorter range', partial('bytes 0-8/1000', sampleBytes(9))],
    ['no Content-Range', partial('', sampleBytes(10))],
    ['a malformed Content-Range', partial('bytes 0-9', sampleBytes(10))],
    ['an unknown size', partial('bytes 0-9/*', sampleBytes(10))],
    ['the whole file', wholeFile],
  ])('%s is a bad range', async (_, answer) => {
    const source = await open();
    instead = [answer];
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'bad-range', details: { file: 'a' } });
    expect(asked).toHaveLength(2);
  });

  test('a server without ranges may give the whole file when all of it was asked for', async () => {
    instead = [wholeFile, wholeFile];
    const source = await open();
    expect(await source.read(0, 1000)).toEqual(sampleBytes(1000));
  });

  test.each([
    ['another range', partial('bytes 0-9/1000', sampleBytes(10))],
    ['no length', partial('', sampleBytes(1))],
    [
      'a compressed file',
      ((_, response) =>
        void response
          .writeHead(200, { 'Content-Encoding': 'identity', 'Content-Length': '3' })
          .end('abc')) satisfies Answer,
    ],
  ])('%s when the size is asked for is a bad range', async (_, answer) => {
    instead = [answer];
    await expect(open()).rejects.toMatchObject({ code: 'bad-range' });
  });
});

describe('another version of the file', () => {
  test('by ETag is refused', async () => {
    const source = await open();
    etag = '"two"';
    await expect(source.read(0, 10)).rejects.toMatchObject({
      family: 'source',
      code: 'changed',
      details: { file: 'a' },
    });
  });

  test('by Last-Modified is refused where there is no ETag', async () => {
    etag = undefined;
    modified = 'Tue, 24 Nov 2026 06:00:00 GMT';
    const source = await open();
    expect(await source.read(0, 10)).toHaveLength(10);
    modified = 'Tue, 24 Nov 2026 07:00:00 GMT';
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'changed' });
  });

  test('by size is refused, also when it ends before the range', async () => {
    etag = undefined;
    const source = await open();
    files.set('a', sampleBytes(1001));
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'changed' });
    files.set('a', sampleBytes(5));
    await expect(source.read(900, 10)).rejects.toMatchObject({ code: 'changed' });
  });
});

describe('being told to stop', () => {
  test('ends a request that hangs', async () => {
    const source = await open();
    const controller = new AbortController();
    const reason = new Error('enough');
    instead = [() => controller.abort(reason)];
    await expect(source.read(0, 10, controller.signal)).rejects.toBe(reason);
    expect(waits).toEqual([]);
  });

  test('ends the pause before another try', async () => {
    files.set('a', sampleBytes(10));
    const source = await HttpRangeSource.open(`${origin}/a`, 'a', { fetch });
    const controller = new AbortController();
    instead = [hangUp, hangUp, hangUp, hangUp];
    const reading = source.read(0, 10, controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(reading).rejects.toThrow('enough');
    expect(asked.length).toBeLessThan(4);
  });
});
