import { expect, it } from 'vitest';
import { createExportApi } from './export-api.ts';
import { contentOf, platform, run, slowly } from './export-run.fixture.ts';
import { MemoryDirectory } from './memory-directory.fixture.ts';
import { openSource } from './open-source.ts';

it.each([
  ['NotAllowedError', 'permission-lost', /no longer allows writing into "pruned"/],
  ['QuotaExceededError', 'disk-full', /disk is full.*still missing/],
  ['AbortError', 'write-blocked', /check of downloads did not let "model/],
  ['NoModificationAllowedError', 'file-locked', /"model.*written by another tab/],
  ['InvalidStateError', 'write-failed', /could not be written: InvalidStateError/],
])('says what %s in the middle means, and goes on to the bytes of an undisturbed export', async (name, code, words) => {
  const whole = new MemoryDirectory('pruned');
  await run(createExportApi(platform()), { kind: 'directory', handle: whole.handle });
  const directory = new MemoryDirectory('pruned');
  directory.writesUntilRefused = 3;
  directory.refusal = name;
  const api = createExportApi(platform());
  const failed = (await run(api, { kind: 'directory', handle: directory.handle })).at(-1);
  expect(failed).toMatchObject({ type: 'failed', error: { family: 'export', code } });
  if (failed?.type === 'failed') expect(failed.error.message).toMatch(words);
  directory.writesUntilRefused = undefined;
  expect((await run(api, { kind: 'directory', handle: directory.handle })).at(-1)).toMatchObject({ type: 'done' });
  expect(await contentOf(directory)).toEqual(await contentOf(whole));
});

it('says that the folder is gone when it is deleted in the middle', async () => {
  const directory = new MemoryDirectory('pruned');
  const api = createExportApi(platform({ openSource: async (spec) => slowly(await openSource(spec)) }));
  const events = await run(api, { kind: 'directory', handle: directory.handle }, () => {
    directory.gone = true;
  });
  expect(events.at(-1)).toMatchObject({
    type: 'failed',
    error: { code: 'folder-gone', message: expect.stringContaining('"pruned" is no longer there') },
  });
});

it('writes by direct access where the folder is private, piece by piece, to the same bytes', async () => {
  const whole = new MemoryDirectory('pruned');
  await run(createExportApi(platform()), { kind: 'directory', handle: whole.handle });
  const directory = new MemoryDirectory('pruned', 1000);
  const api = createExportApi(platform());
  expect((await run(api, { kind: 'directory', handle: directory.handle })).at(-1)).toMatchObject({ type: 'done' });
  expect(await contentOf(directory)).toEqual(await contentOf(whole));
  // A private disk that takes nothing more is full.
  const full = new MemoryDirectory('pruned', 0);
  expect((await run(api, { kind: 'directory', handle: full.handle })).at(-1)).toMatchObject({
    type: 'failed',
    error: { code: 'disk-full' },
  });
  expect([...full.entries.keys()]).toEqual([]);
});
