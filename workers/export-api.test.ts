import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../src/core/checkpoint/open-checkpoint.ts';
import { FaultFolder } from '../src/core/export/fault-folder.fixture.ts';
import { verifyExport } from '../src/core/export/verify.ts';
import type { ExportDestination } from '../src/core/protocol/export-protocol.ts';
import { createExportApi } from './export-api.ts';
import { asFolder, contentOf, folderOf, model, platform, run, slowly } from './export-run.fixture.ts';
import { MemoryDirectory } from './memory-directory.fixture.ts';
import { openSource } from './open-source.ts';

/** The entries of a zip whose files are stored, by its central directory. */
async function unzip(zip: File): Promise<{ files: Map<string, Uint8Array<ArrayBuffer>>; dates: Set<number> }> {
  const bytes = new Uint8Array(await zip.arrayBuffer());
  const view = new DataView(bytes.buffer);
  const end = bytes.byteLength - 22;
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const dates = new Set<number>();
  let at = view.getUint32(end + 16, true);
  for (let entry = 0; entry < view.getUint16(end + 10, true); entry++) {
    expect([view.getUint32(at, true), view.getUint16(at + 10, true)]).toEqual([0x02014b50, 0]);
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const local = view.getUint32(at + 42, true);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    found.set(
      new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      bytes.slice(start, start + view.getUint32(at + 24, true)),
    );
    dates.add(view.getUint32(at + 12, true));
    at += 46 + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  return { files: found, dates };
}

describe('export into a folder', () => {
  it('writes a folder that verifies against the source', async () => {
    const directory = new MemoryDirectory('pruned');
    const events = await run(createExportApi(platform()), { kind: 'directory', handle: directory.handle });
    expect(events.at(-1)).toMatchObject({ type: 'done', files: 9, zip: null });
    expect(
      (await verifyExport({ folder: await folderOf(directory), source: await openCheckpoint(model.asSource()) }))
        .problems,
    ).toEqual([]);
    const last = events.filter((event) => event.type === 'progress').at(-1);
    expect(last?.progress.bytesDone).toBe(last?.progress.bytesTotal);
  });

  it('says that the permission is gone, and goes on when it is back', async () => {
    const directory = new MemoryDirectory('pruned');
    directory.writesUntilRefused = 7;
    const api = createExportApi(platform());
    const failed = await run(api, { kind: 'directory', handle: directory.handle });
    expect(failed.at(-1)).toMatchObject({ type: 'failed', error: { family: 'export', code: 'permission-lost' } });
    expect(directory.entries.has('config.json')).toBe(false);
    directory.writesUntilRefused = undefined;
    expect((await run(api, { kind: 'directory', handle: directory.handle })).at(-1)).toMatchObject({ type: 'done' });
    expect((await verifyExport({ folder: await folderOf(directory) })).problems).toEqual([]);
  });

  it('splits the weights into shards of the size that is asked for', async () => {
    const directory = new MemoryDirectory('pruned');
    const events = await run(createExportApi(platform()), { kind: 'directory', handle: directory.handle }, undefined, {
      shardBytes: 4000,
    });
    expect(events.at(-1)).toMatchObject({ type: 'done' });
    const shards = [...(await contentOf(directory))].filter(([name]) => name.endsWith('.safetensors'));
    expect(shards.length).toBeGreaterThan(
      [...model.files.keys()].filter((name) => name.endsWith('.safetensors')).length,
    );
    expect((await verifyExport({ folder: await folderOf(directory) })).problems).toEqual([]);
  });

  it('tells what came over the network', async () => {
    const transfer = { bytes: 77, bytesPerSecond: () => 5 };
    const api = createExportApi(
      platform({ openSource: async (spec) => ({ ...asFolder(await openSource(spec)), transfer }) }),
    );
    const events = await run(api, { kind: 'directory', handle: new MemoryDirectory('pruned').handle });
    const progress = events.flatMap((event) => (event.type === 'progress' ? [event.progress.transfer] : []));
    expect(progress[0]).toEqual({ bytes: 77, bytesPerSecond: 5 });
  });

  it('says that the permission is gone when the folder cannot even be listed', async () => {
    const directory = new MemoryDirectory('pruned');
    // biome-ignore lint/correctness/useYield: it fails before it could
    directory.keys = async function* () {
      throw new DOMException('no', 'NotAllowedError');
    };
    const events = await run(createExportApi(platform()), { kind: 'directory', handle: directory.handle });
    expect(events).toMatchObject([
      { type: 'failed', error: { code: 'permission-lost', details: { folder: 'pruned' } } },
    ]);
  });

  it('refuses a folder that holds a file or a sub-folder', async () => {
    const directory = new MemoryDirectory('photos');
    await directory.getDirectoryHandle('2024', { create: true });
    const events = await run(createExportApi(platform()), { kind: 'directory', handle: directory.handle });
    expect(events).toMatchObject([{ type: 'failed', error: { code: 'target-not-empty', details: { file: '2024' } } }]);
    expect([...directory.entries.keys()]).toEqual(['2024']);
  });

  it('is cancelled, and resumes', async () => {
    const directory = new MemoryDirectory('pruned');
    const api = createExportApi(platform({ openSource: async (spec) => slowly(await openSource(spec)) }));
    const events = await run(api, { kind: 'directory', handle: directory.handle }, () => api.cancel());
    expect(events.at(-1)).toEqual({ type: 'cancelled' });
    expect((await run(api, { kind: 'directory', handle: directory.handle })).at(-1)).toMatchObject({ type: 'done' });
    expect((await verifyExport({ folder: await folderOf(directory) })).problems).toEqual([]);
  });

  it('runs one export at a time', async () => {
    const api = createExportApi(platform());
    const [first, second] = await Promise.all([
      run(api, { kind: 'directory', handle: new MemoryDirectory('a').handle }),
      run(api, { kind: 'directory', handle: new MemoryDirectory('b').handle }),
    ]);
    expect(first.at(-1)).toMatchObject({ type: 'done' });
    expect(second).toMatchObject([{ type: 'failed', error: { code: 'export-running' } }]);
  });
});

describe('export as a zip', () => {
  const destination: ExportDestination = { kind: 'zip', name: 'my/model 50%' };

  it('hands over a zip that unpacks to a folder that verifies', async () => {
    const root = new MemoryDirectory('');
    const events = await run(createExportApi(platform({}, root)), destination);
    const done = events.at(-1);
    if (done?.type !== 'done' || done.zip === null) throw new Error(JSON.stringify(done));
    // The name is read in the folder: Node's structured clone drops that of a File.
    expect([...(await root.getDirectoryHandle('exports')).entries.keys()]).toEqual(['my-model 50-.zip']);
    const { files: unpacked, dates } = await unzip(done.zip);
    expect(dates.size).toBe(1);
    const folder = new FaultFolder(
      new Map([...unpacked].map(([name, bytes]) => [name.replace('my-model 50-/', ''), bytes])),
    );
    expect(
      (await verifyExport({ folder: folder.asSource(), source: await openCheckpoint(model.asSource()) })).problems,
    ).toEqual([]);
    const phases = new Set(events.flatMap((event) => (event.type === 'progress' ? [event.progress.phase] : [])));
    expect([...phases]).toEqual(['writing', 'verifying', 'packing']);
    const packed = events.filter((event) => event.type === 'progress').at(-1)?.progress;
    expect([packed?.bytesDone, packed?.bytesTotal]).toEqual([done.zip.size, done.zip.size]);
  });

  it('leaves nothing but the newest zip in the private file system, and gives the same bytes again', async () => {
    const root = new MemoryDirectory('');
    const api = createExportApi(platform({}, root));
    const zips: Uint8Array[] = [];
    for (const name of ['first', 'model', 'model']) {
      const done = (await run(api, { kind: 'zip', name })).at(-1);
      if (done?.type !== 'done' || done.zip === null) throw new Error(JSON.stringify(done));
      zips.push(new Uint8Array(await done.zip.arrayBuffer()));
    }
    expect([...(await root.getDirectoryHandle('exports')).entries.keys()]).toEqual(['model.zip']);
    expect(zips[1]).toEqual(zips[2]);
  });

  it('is refused above the limit, before anything is written', async () => {
    const root = new MemoryDirectory('');
    const events = await run(createExportApi(platform({}, root), 1000), destination);
    expect(events).toMatchObject([
      { type: 'failed', error: { code: 'too-large-for-zip', nextStep: 'Choose a folder to export into instead.' } },
    ]);
    expect([...root.entries.keys()]).toEqual([]);
  });

  it.each([0, 1])('cleans up when the zip cannot be written (refused at write %i)', async (writes) => {
    const root = new MemoryDirectory('');
    const room = await root.getDirectoryHandle('exports', { create: true });
    room.writesUntilRefused = writes;
    const events = await run(createExportApi(platform({}, root)), destination);
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'permission-lost' } });
    expect([...room.entries.keys()]).toEqual([]);
  });

  it('cleans up after a cancel', async () => {
    const root = new MemoryDirectory('');
    const api = createExportApi(platform({ openSource: async (spec) => slowly(await openSource(spec)) }, root));
    const events = await run(api, destination, () => api.cancel());
    expect(events.at(-1)).toEqual({ type: 'cancelled' });
    expect([...(await root.getDirectoryHandle('exports')).entries.keys()]).toEqual([]);
  });
});
