import { describe, expect, it } from 'vitest';
import type { VerifyEvent } from '../src/core/protocol/export-protocol.ts';
import { DirectoryTarget } from './directory-target.ts';
import { createExportApi } from './export-api.ts';
import { contentOf, folderOf, follow, platform, run, slowly, source } from './export-run.fixture.ts';
import { MemoryDirectory } from './memory-directory.fixture.ts';
import { openSource } from './open-source.ts';

describe('verification', () => {
  const exported = async (): Promise<MemoryDirectory> => {
    const directory = new MemoryDirectory('pruned');
    await run(createExportApi(platform()), { kind: 'directory', handle: directory.handle });
    return directory;
  };
  const verify = async (directory: MemoryDirectory, withSource: boolean): Promise<VerifyEvent[]> => {
    const folder = { kind: 'directory', label: 'pruned', handle: directory.handle } as const;
    const api = createExportApi(
      platform({ openSource: async (spec) => (spec.kind === 'directory' ? folderOf(directory) : openSource(spec)) }),
    );
    return follow<VerifyEvent>(
      (port) => api.verifyModel({ folder, source: withSource ? source : null }, port),
      () => undefined,
    );
  };

  it.each([true, false])('finds a folder right that an export wrote (against the source: %s)', async (withSource) => {
    const events = await verify(await exported(), withSource);
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      report: { files: 8, comparedWithSource: withSource, problems: [] },
    });
    const last = events.filter((event) => event.type === 'progress').at(-1)?.progress;
    expect([last?.phase, last?.bytesDone]).toEqual(['verifying', last?.bytesTotal]);
  });

  it.each([true, false])('names the tensor with a wrong byte (against the source: %s)', async (withSource) => {
    const directory = await exported();
    const shard = [...directory.entries.keys()].find((name) => name.endsWith('.safetensors')) ?? '';
    const bytes = (await contentOf(directory)).get(shard) ?? new Uint8Array();
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    await directory.removeEntry(shard);
    const sink = await new DirectoryTarget(directory.handle).create(shard);
    await sink.write(new Uint8Array(bytes));
    await sink.close();
    const done = (await verify(directory, withSource)).at(-1);
    if (done?.type !== 'done') throw new Error(JSON.stringify(done));
    const tensors = done.report.problems.map(({ file, tensor }) => [file, tensor]);
    expect(tensors).toContainEqual([shard, expect.stringContaining('layers.0')]);
    expect(new Set(done.report.problems.map(({ file }) => file))).toEqual(new Set([shard]));
  });

  it('keeps an export out while it runs, and is cancelled', async () => {
    const api = createExportApi(platform({ openSource: async (spec) => slowly(await openSource(spec)) }));
    const request = { folder: source, source };
    const verifying = follow<VerifyEvent>(
      (port) => api.verifyModel(request, port),
      () => undefined,
    );
    const target = new MemoryDirectory('other');
    const refused = await run(api, { kind: 'directory', handle: target.handle });
    expect(refused).toMatchObject([{ type: 'failed', error: { code: 'export-running' } }]);
    expect([...target.entries.keys()]).toEqual([]);
    api.cancel();
    expect((await verifying).at(-1)).toEqual({ type: 'cancelled' });
  });
});
