import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { StudioError } from '../base/errors.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { type ExportLayout, layoutExport } from './export-layout.ts';
import { type Fault, FaultFolder } from './fault-folder.fixture.ts';
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

const source = fixtureModel({ sharded: true });
let checkpoint: Checkpoint;
let layout: ExportLayout;
let complete: FaultFolder;

function write(
  target: FaultFolder,
  options: { resume?: boolean; lockHeld?: boolean; layout?: ExportLayout; checkpoint?: Checkpoint } = {},
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

describe('a complete export', () => {
  it('holds the files of the layout, the manifest, and no journal', () => {
    expect([...complete.files.keys()].sort()).toEqual([
      'README.md',
      'config.json',
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      'model.safetensors.index.json',
      'reap-studio.manifest.json',
      'reap-studio.plan.json',
      'tokenizer.json',
    ]);
  });

  it('writes config.json last and the manifest before it', () => {
    expect([...complete.files.keys()].slice(-4)).toEqual([
      'model.safetensors.index.json',
      'reap-studio.plan.json',
      'reap-studio.manifest.json',
      'config.json',
    ]);
  });

  it('leaves the source as it was', () => {
    expect(contents(source)).toEqual(contents(fixtureModel({ sharded: true })));
  });

  it('gives the same bytes again', async () => {
    const again = new FaultFolder();
    await write(again);
    expect(contents(again)).toEqual(contents(complete));
  });
});

describe('a target that is not ours', () => {
  it.each(['notes.txt', 'config.json', 'reap-studio.plan.json'])(
    'is refused when it holds %s, and left alone',
    async (name) => {
      const target = new FaultFolder(new Map([[name, new Uint8Array([1])]]));
      await expect(write(target, { resume: true })).rejects.toMatchObject({
        code: 'target-not-empty',
        details: { file: name },
      });
      expect([...target.files.keys()]).toEqual([name]);
    },
  );

  it('is accepted when a file manager left its own file there', async () => {
    const target = new FaultFolder(new Map([['.DS_Store', new Uint8Array([1])]]));
    await write(target);
    expect(target.files.size).toBe(complete.files.size + 1);
  });

  it('is refused when it holds the unfinished export of another plan', async () => {
    const target = new FaultFolder(new Map(), { writeFailsAt: 5000 });
    await expect(write(target)).rejects.toBeInstanceOf(StudioError);
    const other = await layoutExport(
      checkpoint,
      serialisePlan(
        fixturePlan(checkpoint, [
          [0, 1],
          [1, 2],
        ]),
      ),
    );
    const revived = new FaultFolder(target.files);
    await expect(write(revived, { layout: other, resume: true })).rejects.toMatchObject({ code: 'target-not-empty' });
    expect(contents(revived)).toEqual(contents(target));
  });

  it('is refused when a stranger lies beside our unfinished export', async () => {
    const target = new FaultFolder(new Map(), { writeFailsAt: 5000 });
    await expect(write(target)).rejects.toBeInstanceOf(StudioError);
    target.files.set('thesis.docx', new Uint8Array([1]));
    await expect(write(new FaultFolder(target.files), { resume: true })).rejects.toMatchObject({
      code: 'target-not-empty',
      details: { file: 'thesis.docx' },
    });
  });

  const strangers: [string, string, string, RegExp][] = [
    ['a text of someone', 'reap-studio.journal.jsonl', 'my diary\n', /is not a journal of the studio/],
    ['a file of 20 MB', 'reap-studio.journal.next.jsonl', ' '.repeat(20_000_000), /20000000 bytes/],
    [
      'the journal of a newer version',
      'reap-studio.journal.jsonl',
      '{"format":"reap-studio/journal","version":9,"x":{}}\n',
      /newer version/,
    ],
    [
      'the journal of an older version',
      'reap-studio.journal.jsonl',
      '{"format":"reap-studio/journal","version":1}\n',
      /older version/,
    ],
    [
      'a damaged journal',
      'reap-studio.journal.jsonl',
      '{"format":"reap-studio/journal","version":2,"planHash":"x"}\n',
      /damaged first line/,
    ],
  ];
  it.each(strangers)('is refused, and left alone, when its journal is %s', async (_, name, text, sentence) => {
    const bytes = new TextEncoder().encode(text);
    const target = new FaultFolder(new Map([[name, bytes]]));
    const refusal = write(target, { resume: true });
    await expect(refusal).rejects.toMatchObject({ family: 'export', code: 'foreign-journal', details: { file: name } });
    await expect(refusal).rejects.toThrow(sentence);
    expect(Buffer.compare(target.files.get(name) ?? new Uint8Array(), bytes)).toBe(0);
  });

  it('is taken for empty when a journal was cut off before its first line was whole', async () => {
    for (const text of [
      '',
      '{"format":"reap-st',
      '{"format":"reap-studio/journal","version":2,"planHash":"01',
      '\0\0\0',
    ]) {
      const target = new FaultFolder(new Map([['reap-studio.journal.jsonl', new TextEncoder().encode(text)]]));
      await write(target);
      expect(contents(target)).toEqual(contents(complete));
    }
  });

  it('is refused when its journal names a file that is none of the export', async () => {
    const target = new FaultFolder(new Map(), { writeFailsAt: 5000 });
    await expect(write(target)).rejects.toBeInstanceOf(StudioError);
    const [name, bytes] = [...target.files].find(([file]) => file.includes('journal')) ?? ['', new Uint8Array()];
    const entry = { file: '../secrets', size: 1, sha256: '0'.repeat(64), source: '0'.repeat(64) };
    const text = `${new TextDecoder().decode(bytes)}${JSON.stringify(entry)}\n`;
    const revived = new FaultFolder(target.files);
    revived.files.set(name, new TextEncoder().encode(text));
    await expect(write(revived, { resume: true })).rejects.toMatchObject({ code: 'foreign-journal' });
  });

  it('is refused when a command line has it locked, unless the caller holds that lock', async () => {
    const lock: [string, Uint8Array<ArrayBuffer>] = ['reap-studio.lock', new Uint8Array([1])];
    await expect(write(new FaultFolder(new Map([lock])))).rejects.toMatchObject({
      code: 'export-running',
      nextStep: expect.stringContaining('delete "reap-studio.lock"'),
    });
    const held = new FaultFolder(new Map([lock]));
    await write(held, { lockHeld: true });
    expect(held.files.size).toBe(complete.files.size + 1);
  });

  it('is refused without resume when it holds our unfinished export', async () => {
    const target = new FaultFolder(new Map(), { writeFailsAt: 5000 });
    await expect(write(target)).rejects.toBeInstanceOf(StudioError);
    await expect(write(new FaultFolder(target.files))).rejects.toMatchObject({ code: 'unfinished-export' });
  });
});

describe('a disk that fails', () => {
  it.each(['dropsByte', 'flipsByte', 'cutsWriteAt'] as const)('without a word (%s) is noticed', async (fault) => {
    const journal = 1000;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: journal, max: complete.written - journal }), async (at) => {
        const target = new FaultFolder(new Map(), { [fault]: at });
        const failure = await write(target).then(
          () => undefined,
          (error: unknown) => error,
        );
        // A byte lost from the journal costs a resume, not the export: nothing of the export may differ then.
        if (failure === undefined) expect(contents(target)).toEqual(contents(complete));
        else expect(failure).toMatchObject({ code: 'verification-failed' });
      }),
      { numRuns: 30 },
    );
  });

  const failures: [string, Error, string][] = [
    ['ENOSPC', Object.assign(new Error('no space left'), { code: 'ENOSPC' }), 'disk-full'],
    ['EDQUOT', Object.assign(new Error('quota'), { code: 'EDQUOT' }), 'disk-full'],
    ['EFBIG', Object.assign(new Error('too large'), { code: 'EFBIG' }), 'disk-full'],
    ['EACCES', Object.assign(new Error('denied'), { code: 'EACCES' }), 'permission-lost'],
    ['EROFS', Object.assign(new Error('read-only'), { code: 'EROFS' }), 'permission-lost'],
    ['QuotaExceededError', new DOMException('quota', 'QuotaExceededError'), 'disk-full'],
    ['NotAllowedError', new DOMException('no', 'NotAllowedError'), 'permission-lost'],
    ['EIO', Object.assign(new Error('i/o error'), { code: 'EIO' }), 'write-failed'],
  ];
  it.each(failures)('with %s is reported as what it is', async (_name, error, code) => {
    const fault: Fault = { writeFailsAt: 6000, error };
    await expect(write(new FaultFolder(new Map(), fault))).rejects.toMatchObject({ family: 'export', code });
  });

  it('says how much is missing when it is full: all but the files that are finished', async () => {
    const error = new DOMException('quota', 'QuotaExceededError');
    const files = [...layout.shards, ...layout.companions, layout.planFile, layout.config];
    const total = files.reduce((sum, file) => sum + file.size, layout.index?.size ?? 0);
    const full = (writeFailsAt: number): Promise<ExportResult> =>
      write(new FaultFolder(new Map(), { writeFailsAt, error }));
    await expect(full(600)).rejects.toMatchObject({ details: { missingBytes: total } });
    // The two first shards are finished; the third, the largest, is under way.
    const finished = layout.shards.slice(0, 2).reduce((sum, shard) => sum + shard.size, 0);
    await expect(full(finished + 2500)).rejects.toMatchObject({ details: { missingBytes: total - finished } });
  });
});

describe('a source that changes', () => {
  it('is noticed by its size', async () => {
    const grown = new FaultFolder(source.files);
    const changing = await openCheckpoint(grown.asSource());
    const changingLayout = await layoutExport(changing, serialisePlan(layout.plan));
    const shard = grown.files.get('model-00003-of-00003.safetensors') ?? new Uint8Array();
    grown.files.set('model-00003-of-00003.safetensors', new Uint8Array([...shard, 0]));
    await expect(write(new FaultFolder(), { checkpoint: changing, layout: changingLayout })).rejects.toMatchObject({
      family: 'source',
      code: 'changed',
    });
  });
});
