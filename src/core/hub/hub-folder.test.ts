import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeByteSource } from '../bytes/byte-source-contract.fixture.ts';
import { describeSourceFolder } from '../bytes/folder-contract.fixture.ts';
import { CONFIG, HubDesk, TOKEN, WEIGHTS } from './hub-desk.fixture.ts';
import { HubFolder } from './hub-folder.ts';
import { resolveHub } from './open-hub.ts';

let desk: HubDesk;
beforeAll(async () => {
  desk = await HubDesk.start();
});
afterAll(() => desk.hub.close());
beforeEach(() => desk.reset());

describeByteSource('HubFolder’s file', async (name, bytes) => {
  desk.hub.addCommit('local/tiny', { [name]: bytes });
  return (await desk.open()).open(name);
});
describeSourceFolder('HubFolder', async (held) => {
  desk.hub.addCommit('local/tiny', held);
  return desk.open();
});

describe('what is asked of the hub', () => {
  test('is nothing before a file is read', async () => {
    const folder = await desk.open();
    const source = await folder.open('model.safetensors');
    expect([source.size, folder.names, [...folder.published.keys()]]).toEqual([
      WEIGHTS.byteLength,
      ['config.json', 'model.safetensors'],
      ['model.safetensors'],
    ]);
    expect(folder.label).toMatch(/^hf:local\/tiny@[0-9a-f]{40}$/);
    expect(desk.hub.requests).toHaveLength(0);
  });

  test('is one redirect per file, then its ranges straight from the other host', async () => {
    const source = await desk.openWeights();
    await source.read(0, 8);
    await source.read(100, 50);
    expect(desk.seen()).toEqual(['hub 302 bytes=0-7', 'content 206 bytes=0-7', 'content 206 bytes=100-149']);
  });

  test('is one redirect also when many reads begin at once', async () => {
    const source = await desk.openWeights();
    await Promise.all([0, 1000, 2000, 3000].map((offset) => source.read(offset, 10)));
    expect(desk.seen().filter((line) => line.startsWith('hub'))).toEqual(['hub 302 bytes=0-9']);
    expect(desk.hub.requests).toHaveLength(1 + 4);
  });

  test('is one range where reads that begin at once touch, and not a byte of a gap between them', async () => {
    const source = await desk.openWeights();
    const reads = await Promise.all([source.read(10, 10), source.read(0, 10), source.read(21, 9)]);
    expect(reads.map((bytes) => [...bytes])).toEqual(
      [WEIGHTS.subarray(10, 20), WEIGHTS.subarray(0, 10), WEIGHTS.subarray(21, 30)].map((bytes) => [...bytes]),
    );
    expect(
      desk.hub.requests
        .filter(({ onContentHost }) => onContentHost)
        .map(({ range }) => range)
        .sort(),
    ).toEqual(['bytes=0-19', 'bytes=21-29']);
  });

  test('counts what came, and no more came than was asked for', async () => {
    const folder = await desk.open();
    const before = desk.hub.bytesSent();
    await (await folder.open('model.safetensors')).read(5, 70_000);
    expect([folder.transfer.bytes, desk.hub.bytesSent() - before]).toEqual([70_000, 70_000]);
    expect(folder.transfer.bytesPerSecond()).toBeGreaterThan(0);
  });

  test('needs no preflight on a public repository, and carries no referrer', async () => {
    const source = await desk.openWeights();
    await source.read(0, 10);
    for (const { headers } of desk.hub.requests) {
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('referer');
      expect(headers).not.toHaveProperty('cookie');
    }
  });

  test('is a data set’s file by its path in the repository', async () => {
    const opened = await resolveHub({ kind: 'dataset', repo: 'local/text', endpoint: desk.hub.endpoint }, desk.access);
    const folder = new HubFolder(opened.hub, opened.files, desk.access);
    expect(folder.label).toMatch(/^hf:datasets\/local\/text@/);
    const source = await folder.open('data/train 0.parquet');
    expect(await source.read(7, 3)).toEqual(WEIGHTS.slice(7, 10));
  });

  test('keeps to six requests at once, over all files', async () => {
    let running = 0;
    let most = 0;
    const counted: typeof fetch = async (...parameters) => {
      running += 1;
      most = Math.max(most, running);
      const response = await fetch(...parameters);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return response;
    };
    const folder = await desk.open('local/tiny', undefined, { ...desk.access, fetch: counted });
    const [weights, config] = await Promise.all([folder.open('model.safetensors'), folder.open('config.json')]);
    await weights.read(0, 1);
    await config.read(0, 1);
    await Promise.all(Array.from({ length: 20 }, (_, index) => (index % 5 ? weights : config).read(index, 1)));
    expect(most).toBe(6);
  });
});

describe('a token', () => {
  test.each(['local/secret', 'local/gated'])('opens %s, and goes to the hub alone', async (repo) => {
    const folder = await desk.open(repo, TOKEN);
    expect(await (await folder.open('config.json')).read(0, CONFIG.byteLength)).toEqual(CONFIG);
    expect(await (await folder.open('model.safetensors')).read(3, 4)).toEqual(WEIGHTS.slice(3, 7));
    desk.hub.expireLinks();
    expect(await (await folder.open('model.safetensors')).read(9, 4)).toEqual(WEIGHTS.slice(9, 13));
    for (const { onContentHost, authorised } of desk.hub.requests) expect(authorised).toBe(!onContentHost);
    expect(JSON.stringify([folder.label, folder])).not.toContain(TOKEN);
  });

  test('that is missing is asked for where a file is read', async () => {
    const folder = await desk.open('local/gated');
    const reading = (await folder.open('model.safetensors')).read(0, 8);
    await expect(reading).rejects.toMatchObject({ family: 'source', code: 'unauthorised' });
    await expect(reading).rejects.toThrow('"local/gated" is gated');
    expect(desk.hub.requests).toHaveLength(1);
  });
});
