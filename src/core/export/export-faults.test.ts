import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isStudioError, StudioError } from '../base/errors.ts';
import type { ByteSource, SourceFolder } from '../bytes/byte-source.ts';
import { changedError, shortReadError } from '../bytes/refusals.ts';
import type { VersionedSource } from '../bytes/source-version.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { layoutExport } from './export-layout.ts';
import { contentsOf, type ExportTrial, exportTrial } from './export-trial.fixture.ts';
import { FaultFolder, type TargetCall } from './fault-folder.fixture.ts';

let trial: ExportTrial;
beforeAll(async () => {
  trial = await exportTrial();
});

function expectUnfinished({ files }: FaultFolder): void {
  if (files.has('config.json')) expect([...trial.complete.files.keys()].filter((name) => !files.has(name))).toEqual([]);
}

describe.each([true, false])('a target that fails (killed: %s)', (kills) => {
  const calls: TargetCall[] = ['list', 'create', 'close', 'open', 'read', 'remove'];
  it.each(calls)('in any call of %s gives a sentence, and resumes to the same bytes', async (call) => {
    const total = trial.complete.calls(call);
    expect(total).toBeGreaterThan(2);
    for (let index = 0; index < total; index++) {
      const target = new FaultFolder(new Map(), { callFails: { call, index }, kills });
      const failure = await trial.write(target).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ family: 'export', code: 'write-failed' });
      expect(isStudioError(failure) && failure.nextStep).toContain('start the export into the same folder again');
      expectUnfinished(target);
      await trial.resumes(target.files);
    }
  });
});

describe('a target that fails while it is resumed', () => {
  const calls: TargetCall[] = ['list', 'create', 'close', 'open', 'read', 'remove'];
  it.each(calls)('in any call of %s resumes to the same bytes', async (call) => {
    const half = new FaultFolder(new Map(), { callFails: { call: 'close', index: 8 }, kills: true });
    await expect(trial.write(half)).rejects.toBeInstanceOf(StudioError);
    for (let index = 0; ; index++) {
      const target = new FaultFolder(half.files, { callFails: { call, index }, kills: index % 2 === 0 });
      const failed = await trial.write(target, { resume: true }).then(
        () => false,
        (error: unknown) => isStudioError(error, 'export'),
      );
      if (!failed) {
        expect(contentsOf(target)).toEqual(contentsOf(trial.complete));
        expect(index).toBeGreaterThan(2);
        break;
      }
      await trial.resumes(target.files);
    }
  });
});

describe('a complete export', () => {
  it('is found complete when it is resumed: every file is read, nothing is written', async () => {
    const target = new FaultFolder(trial.complete.files);
    const { files, resumedFiles, bytes } = await trial.write(target, { resume: true });
    expect([files, resumedFiles]).toEqual([target.files.size, target.files.size]);
    expect(bytes).toBe([...target.files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0));
    expect([target.written, target.calls('remove')]).toEqual([0, 0]);
  });

  it('is refused, and left alone, without resume, after a change, and beside another file', async () => {
    const changes: [string, boolean, (folder: FaultFolder) => void][] = [
      ['README.md', false, () => undefined],
      ['tokenizer.json', true, ({ files }) => files.set('tokenizer.json', new Uint8Array(18).fill(65))],
      ['model-00002-of-00003.safetensors', true, ({ files }) => flip(files.get('model-00002-of-00003.safetensors'))],
      ['notes.txt', true, ({ files }) => files.set('notes.txt', new Uint8Array(1))],
      ['reap-studio.manifest.json', true, ({ files }) => files.delete('config.json')],
      ['reap-studio.manifest.json', true, ({ files }) => flip(files.get('reap-studio.manifest.json'))],
    ];
    for (const [file, resume, change] of changes) {
      const target = new FaultFolder(new Map([...trial.complete.files].map(([name, bytes]) => [name, bytes.slice()])));
      change(target);
      const before = contentsOf(target);
      await expect(trial.write(target, { resume })).rejects.toMatchObject({
        code: 'target-not-empty',
        details: { file },
      });
      expect(contentsOf(target)).toEqual(before);
    }
  });
});

function flip(bytes: Uint8Array | undefined): void {
  if (bytes === undefined) throw new Error('no such file');
  bytes[bytes.byteLength - 3] = (bytes[bytes.byteLength - 3] ?? 0) ^ 1;
}

/** The source with a fault: the read with this number, from 0, meets it. */
function faultySource(folder: SourceFolder, readFails: number, error: (file: string) => Error): SourceFolder {
  let reads = 0;
  return {
    ...folder,
    open: async (name) => {
      const source = await folder.open(name);
      return {
        name,
        size: source.size,
        read: async (offset, length) => {
          if (reads++ === readFails) throw error(name);
          return source.read(offset, length);
        },
      };
    },
  };
}

describe('a source that fails', () => {
  const faults: [string, (file: string) => Error, string][] = [
    ['is cut', (file) => shortReadError(file, 0, 2, 1), 'short-read'],
    ['changes', (file) => changedError(file, 'it was written to'), 'changed'],
  ];
  it.each(faults)(
    'in a read at random, because it %s: says so, and resumes to the same bytes',
    async (_, error, code) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(40), async (read) => {
          const folder = faultySource(trial.checkpoint.folder, read, error);
          const target = new FaultFolder();
          const failure = await layoutExport({ ...trial.checkpoint, folder }, serialisePlan(trial.layout.plan))
            .then((layout) => trial.write(target, { checkpoint: { ...trial.checkpoint, folder }, layout }))
            .then(
              () => undefined,
              (refusal: unknown) => refusal,
            );
          if (failure === undefined) expect(contentsOf(target)).toEqual(contentsOf(trial.complete));
          else {
            expect(failure).toMatchObject({ family: 'source', code });
            expectUnfinished(target);
            await trial.resumes(target.files);
          }
        }),
        { numRuns: 25 },
      );
    },
  );
});

describe('a source with versions', () => {
  /** Opens the fixture so that each file has the version that `versions` gives it at the time. */
  async function versioned(versions: Map<string, string>): Promise<Checkpoint> {
    const folder = trial.source.asSource('fixture');
    const open = async (name: string): Promise<ByteSource> => {
      const source = await folder.open(name);
      const with_: VersionedSource = { ...source, version: versions.get(name) ?? 'first' };
      return with_;
    };
    return openCheckpoint({ ...folder, open });
  }

  it('is noticed when one of the same size was written to during the export', async () => {
    const versions = new Map<string, string>();
    const checkpoint = await versioned(versions);
    const layout = await layoutExport(checkpoint, serialisePlan(trial.layout.plan));
    const target = new FaultFolder();
    const onProgress = (): void => void versions.set('model-00003-of-00003.safetensors', 'second');
    const refusal = expect(trial.write(target, { checkpoint, layout, onProgress })).rejects;
    await refusal.toMatchObject({
      family: 'source',
      code: 'changed',
      message: expect.stringContaining('it was written to'),
      details: { file: 'model-00003-of-00003.safetensors' },
    });
    expect(target.files.has('model-00002-of-00003.safetensors')).toBe(true);
  });

  it('is compared byte by byte on resume when a version has changed since, and by samples when not', async () => {
    const shard = 'model-00003-of-00003.safetensors';
    const first = await versioned(new Map());
    const layout = await layoutExport(first, serialisePlan(trial.layout.plan));
    const shards = layout.shards.reduce((sum, { size }) => sum + size, 0);
    const half = new FaultFolder(new Map(), { writeFailsAt: shards + 4000, kills: true });
    await expect(trial.write(half, { checkpoint: first, layout })).rejects.toBeInstanceOf(StudioError);
    const read = async (versions: Map<string, string>): Promise<number> => {
      const checkpoint = await versioned(versions);
      let bytes = 0;
      const folder: SourceFolder = {
        ...checkpoint.folder,
        open: async (name) => {
          const source = await checkpoint.folder.open(name);
          const counted = async (offset: number, length: number) => {
            if (name === shard) bytes++;
            return source.read(offset, length);
          };
          return Object.assign({}, source, { read: counted });
        },
      };
      const target = new FaultFolder(half.files);
      const counting = { ...checkpoint, folder };
      await trial.write(target, {
        checkpoint: counting,
        layout: await layoutExport(counting, serialisePlan(layout.plan)),
        resume: true,
      });
      expect(contentsOf(target)).toEqual(contentsOf(trial.complete));
      return bytes;
    };
    // Samples are sixteen reads of the planned shard; the whole of a small one is a single read of its ranges.
    expect(await read(new Map())).toBeGreaterThan(await read(new Map([[shard, 'second']])));
  });
});
