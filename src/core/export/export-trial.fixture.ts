import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { serialisePlan } from '../plan/plan-file.ts';
import { type ExportLayout, layoutExport } from './export-layout.ts';
import { FaultFolder } from './fault-folder.fixture.ts';
import { fixtureModel, fixturePlan } from './small-model.fixture.ts';
import { type ExportJob, type ExportResult, writeExport } from './write-export.ts';

/** Contents by name, comparable and short when they differ. */
export function contentsOf(folder: FaultFolder): Record<string, string> {
  return Object.fromEntries(
    [...folder.files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]),
  );
}

type Changes = Partial<Omit<ExportJob, 'target'>>;

/** Test fixture: the export of a small model with two experts a layer, and what it must end in. */
export interface ExportTrial {
  readonly source: FaultFolder;
  readonly checkpoint: Checkpoint;
  readonly layout: ExportLayout;
  /** The folder of an undisturbed export. */
  readonly complete: FaultFolder;
  write(target: FaultFolder, changes?: Changes): Promise<ExportResult>;
  /** Resumes from these files without faults and expects the files of the undisturbed export. */
  resumes(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<ExportResult>;
}

export async function exportTrial(): Promise<ExportTrial> {
  const source = fixtureModel({ sharded: true });
  const checkpoint = await openCheckpoint(source.asSource('fixture'));
  const plan = fixturePlan(checkpoint, [
    [0, 3],
    [1, 2],
  ]);
  const layout = await layoutExport(checkpoint, serialisePlan(plan));
  const write = (target: FaultFolder, changes: Changes = {}): Promise<ExportResult> =>
    writeExport({ checkpoint, layout, resume: false, ...changes, target });
  const complete = new FaultFolder();
  await write(complete);
  return {
    source,
    checkpoint,
    layout,
    complete,
    write,
    async resumes(files) {
      const revived = new FaultFolder(files);
      const result = await write(revived, { resume: true });
      expect(contentsOf(revived)).toEqual(contentsOf(complete));
      return result;
    },
  };
}
