import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { JOURNAL_FILES } from './export-files.ts';
import { type ExportLayout, layoutExport } from './export-layout.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { fixtureModel, fixturePlan } from './small-model.fixture.ts';
import { type ExportResult, writeExport } from './write-export.ts';

/** Contents by name, comparable and short when they differ. */
function contents(folder: FaultFolder): Record<string, string> {
  return Object.fromEntries(
    [...folder.files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]),
  );
}

const JOURNALS: readonly string[] = JOURNAL_FILES;
const source = fixtureModel({ sharded: true });
let checkpoint: Checkpoint;
let layout: ExportLayout;
let complete: FaultFolder;

function write(
  target: FaultFolder,
  options: { resume?: boolean; signal?: AbortSignal; layout?: ExportLayout; checkpoint?: Checkpoint } = {},
): Promise<ExportResult> {
  return writeExport({ checkpoint, layout, resume: false, ...options, target });
}

beforeAll(async () => {
  checkpoint = await openCheckpoint(source.asSource('fixture'));
  layout = await layoutExport(
    checkpoint,
    serialisePlan(
      fixturePlan(checkpoint, [
        [0, 3],
        [1, 2],
      ]),
    ),
  );
  complete = new FaultFolder();
  await write(complete);
});

/** No config.json beside a journal that still lacks files: what an interrupted export must never look like. */
function expectNotLoadable(folder: FaultFolder): void {
  if (folder.files.has('config.json'))
    expect([...complete.files.keys()].filter((name) => !folder.files.has(name))).toEqual([]);
}

async function expectResumes(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<ExportResult> {
  const revived = new FaultFolder(files);
  const result = await write(revived, { resume: true });
  expect(contents(revived)).toEqual(contents(complete));
  return result;
}

describe('a failure at any moment', () => {
  const total = (): number => complete.written;

  it.each([true, false])('of writing resumes to the same bytes (killed: %s)', async (kills) => {
    // Every position in the journal's first kilobyte, where a cut is most delicate, and many of the rest.
    const anywhere = fc.oneof(fc.nat(1000), fc.nat(total() - 1));
    await fc.assert(
      fc.asyncProperty(anywhere, async (writeFailsAt) => {
        const target = new FaultFolder(new Map(), { writeFailsAt, kills });
        await expect(write(target)).rejects.toMatchObject({ code: 'write-failed' });
        expectNotLoadable(target);
        await expectResumes(target.files);
      }),
      { numRuns: 30 },
    );
  });

  it('twice in a row resumes to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(total() - 1), fc.nat(total() - 1), async (first, second) => {
        const target = new FaultFolder(new Map(), { writeFailsAt: first, kills: true });
        await write(target).catch(() => undefined);
        const again = new FaultFolder(target.files, { writeFailsAt: second, kills: true });
        await write(again, { resume: true }).catch(() => undefined);
        if (again.files.has('config.json') && !JOURNALS.some((name) => again.files.has(name)))
          expect(contents(again)).toEqual(contents(complete));
        else await expectResumes(again.files);
      }),
      { numRuns: 20 },
    );
  });

  it('by abort resumes to the same bytes and says so as an abort', async () => {
    for (const after of [0, 1, 2, 3, 5, 7]) {
      const stop = new AbortController();
      const target = new FaultFolder();
      let events = 0;
      const run = writeExport({
        checkpoint,
        layout,
        target,
        resume: false,
        signal: stop.signal,
        onProgress: () => {
          if (events++ === after) stop.abort(new DOMException('stopped', 'AbortError'));
        },
      });
      const failure = await run.then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) throw new Error(`the export ended before event ${after}`);
      expect(failure).toMatchObject({ name: 'AbortError' });
      await expectResumes(target.files);
    }
  });
});

describe('resuming', () => {
  async function interrupted(): Promise<FaultFolder> {
    const shards = layout.shards.slice(0, 2).reduce((sum, shard) => sum + shard.size, 0);
    const target = new FaultFolder(new Map(), { writeFailsAt: shards + 2500, kills: true });
    await expect(write(target)).rejects.toBeInstanceOf(StudioError);
    return target;
  }

  it('keeps the shards that were finished', async () => {
    expect((await expectResumes((await interrupted()).files)).resumedFiles).toBe(2);
  });

  it('writes a finished shard anew when a byte of it has changed since', async () => {
    const target = await interrupted();
    const bytes = target.files.get('model-00001-of-00003.safetensors');
    if (bytes === undefined) throw new Error('no first shard');
    bytes[bytes.byteLength - 9] = (bytes[bytes.byteLength - 9] ?? 0) ^ 1;
    expect((await expectResumes(target.files)).resumedFiles).toBe(1);
  });

  it('writes a shard anew when it is not the one that the journal saw', async () => {
    const target = await interrupted();
    const name = JOURNALS.find((journal) => target.files.has(journal)) ?? '';
    const text = new TextDecoder().decode(target.files.get(name));
    target.files.set(
      name,
      new TextEncoder().encode(text.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${'0'.repeat(64)}"`)),
    );
    expect((await expectResumes(target.files)).resumedFiles).toBe(1);
  });

  it('does not mix in a fine-tune, which has the same fingerprint', async () => {
    const target = await interrupted();
    const tuned = await openCheckpoint(fixtureModel({ sharded: true, seed: 99 }).asSource());
    expect(tuned.fingerprint).toBe(checkpoint.fingerprint);
    const tunedLayout = await layoutExport(tuned, serialisePlan(layout.plan));
    const revived = new FaultFolder(target.files);
    const result = await write(revived, { checkpoint: tuned, layout: tunedLayout, resume: true });
    expect(result.resumedFiles).toBe(0);
    const fresh = new FaultFolder();
    await write(fresh, { checkpoint: tuned, layout: tunedLayout });
    expect(contents(revived)).toEqual(contents(fresh));
  });
});
