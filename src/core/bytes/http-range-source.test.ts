import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeByteSource, sampleBytes } from './byte-source-contract.fixture.ts';
import { FileVersion } from './file-version.ts';
import { describeSourceFolder } from './folder-contract.fixture.ts';
import { HttpFolder } from './http-folder.ts';
import { HttpRangeSource, openLine } from './http-range-source.ts';
import { type Answer, hangUp, packed, page, partial, RangeServer, status } from './range-server.fixture.ts';
import { PlainTarget } from './range-target.ts';

const server = new RangeServer();
let waits: number[] = [];

const wait = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
  waits.push(milliseconds);
  signal?.throwIfAborted();
};

beforeAll(() => server.start());
afterAll(() => server.close());
beforeEach(() => {
  server.reset();
  waits = [];
});

async function open(bytes = sampleBytes(1000)): Promise<HttpRangeSource> {
  server.files.set('a', bytes);
  return HttpRangeSource.open(`${server.origin}/a`, 'a', openLine({ fetch, wait }));
}

describeByteSource('HttpRangeSource', async (name, bytes) => {
  server.files.set(name, bytes);
  return HttpRangeSource.open(`${server.origin}/${name}`, name, openLine({ fetch, wait }));
});

describeSourceFolder('HttpFolder', async (held) => {
  for (const [name, bytes] of held) server.files.set(name, bytes);
  return new HttpFolder('hub', server.origin, [...held.keys()], { fetch, wait });
});

describe('what is asked of the server', () => {
  test('one byte to open, then plain ranges and nothing for no bytes', async () => {
    const source = await open();
    await source.read(10, 20);
    await source.read(0, 0);
    expect(server.asked).toEqual(['GET bytes=0-0', 'GET bytes=10-29']);
  });

  test('the same range when it is read into memory that is there', async () => {
    const source = await open();
    const into = new Uint8Array(30);
    await source.fill(into.subarray(5, 25), 100);
    expect([...into]).toEqual([...new Uint8Array(5), ...sampleBytes(1000).subarray(100, 120), ...new Uint8Array(5)]);
    await expect(source.fill(into, 980)).rejects.toMatchObject({ code: 'out-of-range' });
    expect(server.asked).toEqual(['GET bytes=0-0', 'GET bytes=100-119']);
  });

  test('fetch is called as a plain function, as browsers demand', async () => {
    server.files.set('a', sampleBytes(10));
    const strict = function (this: unknown, ...parameters: Parameters<typeof fetch>): ReturnType<typeof fetch> {
      if (this !== undefined) throw new TypeError('Illegal invocation');
      return fetch(...parameters);
    };
    expect((await HttpRangeSource.open(`${server.origin}/a`, 'a', openLine({ fetch: strict, wait }))).size).toBe(10);
  });

  test('a folder asks once for each file that it opens', async () => {
    server.files.set('a', sampleBytes(10));
    const folder = new HttpFolder('hub', `${server.origin}/`, ['a'], { fetch, wait });
    expect(await folder.open('a')).toBe(await folder.open('a'));
    expect(server.asked).toHaveLength(1);
  });
});

describe('a failure that may pass', () => {
  test.each([
    ['a hang-up', hangUp],
    ['status 500', status(500)],
    ['status 503', status(503)],
    ['status 429', status(429)],
    ['status 408', status(408)],
  ])('is tried again after %s', async (label, answer) => {
    const source = await open();
    server.instead = [answer, answer, answer, answer, answer];
    expect(await source.read(0, 10)).toEqual(sampleBytes(1000).subarray(0, 10));
    expect(server.asked).toHaveLength(1 + 6);
    const longer = label === 'status 429' ? 8 : 1;
    expect(waits).toEqual([250, 1000, 4000, 16_000, 64_000].map((time) => Math.min(time * longer, 30_000)));
  });

  test.each([
    ['unreachable', hangUp],
    ['bad-status', status(502)],
    ['short-read', partial('bytes 0-9/1000', new Uint8Array(0))],
    ['rate-limited', status(429)],
  ])('stands as %s after six tries', async (code, answer) => {
    const source = await open();
    server.instead = [answer, answer, answer, answer, answer, answer, undefined];
    await expect(source.read(0, 10)).rejects.toMatchObject({ family: 'source', code, details: { file: 'a' } });
    expect(server.asked).toHaveLength(1 + 6);
  });

  test('goes on from the byte that was reached, with its tries counted anew', async () => {
    const bytes = sampleBytes(1000);
    const source = await open();
    const short = (first: number, last: number): Answer =>
      partial(`bytes ${first}-9/1000`, bytes.subarray(first, last));
    server.instead = [short(0, 4), hangUp, hangUp, hangUp, hangUp, short(4, 7), hangUp, hangUp, hangUp, hangUp];
    expect(await source.read(0, 10)).toEqual(bytes.subarray(0, 10));
    expect(server.asked.slice(1)).toEqual([
      'GET bytes=0-9',
      ...Array(5).fill('GET bytes=4-9'),
      ...Array(5).fill('GET bytes=7-9'),
    ]);
  });

  test.each([
    ['7', 7000],
    ['86400', 300_000],
    ['soon', 250],
  ])('waits as long as the server asks: %s', async (retryAfter, expected) => {
    const source = await open();
    server.instead = [(_, response) => void response.writeHead(503, { 'Retry-After': retryAfter }).end()];
    await source.read(0, 10);
    expect(waits).toEqual([expected]);
  });

  test('takes silence for a failure, before the answer and within its body', async () => {
    const bytes = sampleBytes(1000);
    server.files.set('a', bytes);
    const source = await HttpRangeSource.open(`${server.origin}/a`, 'a', openLine({ fetch, wait, stallMs: 500 }));
    const silent: Answer = () => undefined;
    server.instead = [
      silent,
      (_, response) => {
        response.writeHead(206, { 'Content-Range': 'bytes 0-9/1000', 'Content-Length': 10 });
        response.write(bytes.subarray(0, 3));
      },
    ];
    expect(await source.read(0, 10)).toEqual(bytes.subarray(0, 10));
    expect(server.asked.slice(1)).toEqual(['GET bytes=0-9', 'GET bytes=0-9', 'GET bytes=3-9']);
  });

  test('stands as stalled when silence goes on', async () => {
    const line = openLine({ fetch, wait, stallMs: 20 });
    const version = new FileVersion('a', 1000, { label: 'one' });
    const source = new HttpRangeSource(new PlainTarget('a', `${server.origin}/a`), 1000, version, line);
    server.instead = Array(6).fill(() => undefined);
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'stalled', details: { file: 'a' } });
    expect(waits).toHaveLength(5);
  });

  test('is tried again when the file is opened as well', async () => {
    server.instead = [hangUp, status(500)];
    expect((await open()).size).toBe(1000);
  });
});

describe('a failure that stays', () => {
  test.each([400, 401, 403, 404])('status %d is not tried again', async (code) => {
    server.instead = [status(code)];
    await expect(open()).rejects.toMatchObject({ code: 'bad-status', details: { file: 'a', status: code } });
    const source = await open();
    server.instead = [status(code)];
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'bad-status', details: { status: code } });
    expect(server.asked).toHaveLength(3);
  });

  test.each([
    ['another range', partial('bytes 1-10/1000', sampleBytes(10))],
    ['a shorter range', partial('bytes 0-8/1000', sampleBytes(9))],
    ['no Content-Range', partial('', sampleBytes(10))],
    ['a malformed Content-Range', partial('bytes 0-9', sampleBytes(10))],
    ['an unknown size', partial('bytes 0-9/*', sampleBytes(10))],
    ['more bytes than asked for', partial('bytes 0-9/1000', sampleBytes(11))],
    ['packed parts', packed],
  ])('%s is a bad range', async (_, answer) => {
    const source = await open();
    server.instead = [answer];
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'bad-range', details: { file: 'a' } });
    expect(server.asked).toHaveLength(2);
  });

  test('a server without ranges may give the whole of a small file', async () => {
    server.instead = [server.wholeFile, server.wholeFile, server.wholeFile];
    const source = await open();
    expect(await source.read(0, 1000)).toEqual(sampleBytes(1000));
    expect(await source.read(100, 10)).toEqual(sampleBytes(1000).subarray(100, 110));
  });

  test('a server without ranges gives no part of a large file', async () => {
    const size = 8 * 2 ** 20 + 1;
    const large = new HttpRangeSource(
      new PlainTarget('a', `${server.origin}/a`),
      size,
      new FileVersion('a', size, { label: 'one' }),
      openLine({ fetch, wait }),
    );
    server.files.set('a', new Uint8Array(size));
    server.instead = [server.wholeFile];
    await expect(large.read(0, 10)).rejects.toMatchObject({ code: 'bad-range' });
  });

  test('a page in place of the file is told as what it is', async () => {
    const source = await open();
    server.instead = [page, page];
    await expect(source.read(0, 9)).rejects.toMatchObject({ code: 'not-a-file', details: { file: 'a' } });
    await expect(open()).rejects.toMatchObject({ code: 'not-a-file' });
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
    server.instead = [answer];
    await expect(open()).rejects.toMatchObject({ code: 'bad-range' });
  });
});

describe('another version of the file', () => {
  test('by ETag is refused', async () => {
    const source = await open();
    server.etag = '"two"';
    await expect(source.read(0, 10)).rejects.toMatchObject({
      family: 'source',
      code: 'changed',
      details: { file: 'a' },
    });
  });

  test('by Last-Modified is refused where there is no ETag', async () => {
    server.etag = undefined;
    server.modified = 'Tue, 24 Nov 2026 06:00:00 GMT';
    const source = await open();
    expect(await source.read(0, 10)).toHaveLength(10);
    server.modified = 'Tue, 24 Nov 2026 07:00:00 GMT';
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'changed' });
  });

  test('by size is refused, also when it ends before the range', async () => {
    server.etag = undefined;
    const source = await open();
    server.files.set('a', sampleBytes(1001));
    await expect(source.read(0, 10)).rejects.toMatchObject({ code: 'changed' });
    server.files.set('a', sampleBytes(5));
    await expect(source.read(900, 10)).rejects.toMatchObject({ code: 'changed' });
  });
});

describe('being told to stop', () => {
  test('ends a request that hangs', async () => {
    const source = await open();
    const controller = new AbortController();
    const reason = new Error('enough');
    server.instead = [() => controller.abort(reason)];
    await expect(source.read(0, 10, controller.signal)).rejects.toBe(reason);
    expect(waits).toEqual([]);
  });

  test('leaves the reads of others alone that were begun at the same time', async () => {
    const source = await open();
    const controller = new AbortController();
    server.instead = [() => controller.abort(new Error('enough'))];
    const mine = source.read(0, 10, controller.signal);
    const other = source.read(10, 10);
    await expect(mine).rejects.toThrow('enough');
    expect(await other).toEqual(sampleBytes(1000).subarray(10, 20));
  });

  test('ends the pause before another try', async () => {
    server.files.set('a', sampleBytes(10));
    const source = await HttpRangeSource.open(`${server.origin}/a`, 'a', openLine({ fetch }));
    const controller = new AbortController();
    server.instead = [hangUp, hangUp, hangUp, hangUp];
    const reading = source.read(0, 10, controller.signal);
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(reading).rejects.toThrow('enough');
    expect(server.asked.length).toBeLessThan(6);
  });
});
