import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sampleBytes } from '../bytes/byte-source-contract.fixture.ts';
import { CONFIG, HubDesk, WEIGHTS } from './hub-desk.fixture.ts';
import { HubFolder } from './hub-folder.ts';
import { resolveHub } from './open-hub.ts';

let desk: HubDesk;
beforeAll(async () => {
  desk = await HubDesk.start();
});
afterAll(() => desk.hub.close());
beforeEach(() => desk.reset());

describe('what goes wrong on the way', () => {
  const large = { file: 'model.safetensors', times: 1 } as const;

  test('an address that expired is found anew once, though many reads meet it', async () => {
    const source = await desk.openWeights();
    await source.read(0, 8);
    desk.hub.expireLinks();
    desk.hub.requests.length = 0;
    const offsets = [0, 1000, 2000, 3000];
    const reads = await Promise.all(offsets.map((offset) => source.read(offset, 10)));
    expect(reads).toEqual(offsets.map((offset) => WEIGHTS.slice(offset, offset + 10)));
    expect(desk.seen().filter((line) => line.startsWith('hub'))).toEqual([expect.stringMatching(/^hub 302/)]);
    expect(desk.waits).toEqual([]);
  });

  test('an address that is refused from the start is tried again after a pause, then told', async () => {
    const source = await desk.openWeights();
    desk.hub.faults.push({ on: 'content', kind: 'status', status: 403, file: 'model.safetensors', times: 2 });
    expect(await source.read(0, 8)).toEqual(WEIGHTS.slice(0, 8));
    expect(desk.waits).toEqual([250, 1000]);
    desk.hub.faults.push({ on: 'content', kind: 'status', status: 403 });
    await expect(source.read(0, 8)).rejects.toMatchObject({ code: 'signed-address', details: { status: 403 } });
  });

  test.each([
    [{ kind: 'status', status: 503, retryAfterSeconds: 2 }, [2000]],
    [{ kind: 'status', status: 500 }, [250]],
    [{ kind: 'cut', afterBytes: 100_000 }, [250]],
  ] as const)('%j is met by another try, which goes on from the byte reached', async (fault, expected) => {
    const source = await desk.openWeights();
    const before = desk.hub.bytesSent();
    desk.hub.faults.push({ on: 'content', ...large, ...fault });
    expect(Buffer.compare(await source.read(0, WEIGHTS.byteLength), WEIGHTS)).toBe(0);
    expect(desk.waits).toEqual(expected);
    const twice = desk.hub.bytesSent() - before - WEIGHTS.byteLength;
    expect(twice).toBeLessThan(70_000);
  });

  test('silence is met by another try, which goes on from the byte reached', async () => {
    desk.hub.faults.push({ on: 'content', ...large, kind: 'stall', afterBytes: 100_000 });
    const source = await (await desk.open('local/tiny', undefined, { ...desk.access, stallMs: 500 })).open(
      'model.safetensors',
    );
    expect(Buffer.compare(await source.read(0, WEIGHTS.byteLength), WEIGHTS)).toBe(0);
    expect(desk.hub.requests.at(-1)?.range).toBe(`bytes=100000-${WEIGHTS.byteLength - 1}`);
  });

  test.each([
    [{ on: 'content', kind: 'wrong-range' }, 'bad-range'],
    [{ on: 'content', kind: 'gzip' }, 'bad-range'],
    [{ on: 'content', kind: 'html' }, 'not-a-file'],
    [{ on: 'resolve', kind: 'html' }, 'not-a-file'],
    [{ on: 'resolve', kind: 'status', status: 400 }, 'bad-status'],
  ] as const)('%j is refused as %s', async (fault, code) => {
    const source = await desk.openWeights();
    desk.hub.faults.push({ ...large, ...fault });
    await expect(source.read(10, 10)).rejects.toMatchObject({
      family: 'source',
      code,
      details: { host: expect.stringMatching(/^127/) },
    });
  });

  test('a server that sends the whole of a small file is understood, a compressed one too', async () => {
    const source = await (await desk.open()).open('config.json');
    desk.hub.faults.push({ on: 'content', kind: 'whole-file', times: 1 });
    expect(await source.read(3, 5)).toEqual(CONFIG.slice(3, 8));
  });

  test('another ETag is another version', async () => {
    const source = await desk.openWeights();
    await source.read(0, 8);
    desk.hub.faults.push({ on: 'content', kind: 'other-etag', ...large });
    await expect(source.read(8, 8)).rejects.toMatchObject({ code: 'changed', details: { file: 'model.safetensors' } });
  });

  test('a file that the hub replaced is another version', async () => {
    const folder = await desk.open();
    desk.hub.replaceFile('local/tiny', desk.commit, 'model.safetensors', sampleBytes(300_002));
    await expect((await folder.open('model.safetensors')).read(0, 8)).rejects.toMatchObject({ code: 'changed' });
  });

  test('a push while it is read changes nothing', async () => {
    const source = await desk.openWeights();
    desk.hub.addCommit('local/tiny', { 'model.safetensors': sampleBytes(1000) });
    expect(await source.read(299_000, 1000)).toEqual(WEIGHTS.slice(299_000, 300_000));
  });

  test('a commit that is gone is told as that', async () => {
    const folder = await desk.open();
    desk.hub.removeCommit('local/tiny', desk.commit);
    const reading = (await folder.open('model.safetensors')).read(0, 8);
    await expect(reading).rejects.toMatchObject({ code: 'revision-not-found' });
    await expect(reading).rejects.toThrow('any more');
  });

  test('a hub that sends another commit’s file is refused', async () => {
    const folder = await desk.open();
    const other = folder.label.endsWith('0') ? '1' : '0';
    const moved: typeof fetch = (input, init) => fetch(String(input).replace(/resolve\/\w+/, 'resolve/main'), init);
    const { files: listed, hub: found } = await resolveHub(
      { repo: 'local/tiny', endpoint: desk.hub.endpoint },
      desk.access,
    );
    const astray = new HubFolder({ ...found, commit: other.repeat(40) }, listed, { ...desk.access, fetch: moved });
    await expect((await astray.open('config.json')).read(0, 8)).rejects.toMatchObject({ code: 'changed' });
  });

  test('no signed address is in an error', async () => {
    const source = await desk.openWeights();
    await source.read(0, 8);
    desk.hub.faults.push({ on: 'content', kind: 'status', status: 500 });
    const thrown = await source.read(0, 8).catch((error: unknown) => error);
    expect(JSON.stringify({ ...(thrown instanceof Error ? thrown : {}) }) + String(thrown)).not.toMatch(
      /Signature|signed/,
    );
  });
});

describe('being told to stop', () => {
  test('ends the requests, also while an address is being found', async () => {
    const source = await desk.openWeights();
    desk.hub.faults.push({ on: 'resolve', kind: 'stall', afterBytes: 0 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const reads = [source.read(0, 8, controller.signal), source.read(100, 8, controller.signal)];
    setTimeout(() => controller.abort(reason), 20);
    for (const read of reads) await expect(read).rejects.toBe(reason);
    desk.hub.faults.length = 0;
    expect(await source.read(0, 8)).toEqual(WEIGHTS.slice(0, 8));
  });
});
