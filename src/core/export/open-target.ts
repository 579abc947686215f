import { StudioError } from '../base/errors.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import { CONFIG_FILE, isSystemFile, JOURNAL_FILES, MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout, PlannedFile } from './export-layout.ts';
import { ExportJournal, type JournalEntry, type JournalIdentity, targetNotEmpty } from './journal.ts';
import { Sha256 } from './sha256.ts';
import { TOOL } from './tool.ts';

/** All files of the layout but the manifest, in the order in which they are written. */
export function plannedFiles(layout: ExportLayout): PlannedFile[] {
  const { shards, companions, index, planFile, config } = layout;
  return [...shards, ...companions, ...(index === undefined ? [] : [index]), planFile, config];
}

async function identityOf(layout: ExportLayout, fingerprint: string): Promise<JournalIdentity> {
  const hasher = await Sha256.create();
  const note = (text: string): void => hasher.update(new TextEncoder().encode(`${text}\n`));
  note(`${TOOL.name} ${TOOL.version}`);
  for (const file of plannedFiles(layout)) note(JSON.stringify([file.name, file.size]));
  for (const shard of layout.shards) hasher.update(shard.header);
  for (const [file, size] of layout.sourceSizes) note(JSON.stringify([file, size]));
  return {
    format: 'reap-studio/journal',
    version: 1,
    planHash: layout.planHash,
    fingerprint,
    layoutHash: hasher.digest(),
  };
}

/**
 * Makes the target ready: an empty one gets a journal; one that holds the journal of this very export is cleared of what
 * was not finished and goes on. Anything else is refused untouched.
 * @returns the journal and what it says is finished.
 * @throws StudioError family `export`: `target-not-empty`, `unfinished-export` (when `resume` is false).
 */
export async function openTarget(
  target: TargetFolder,
  layout: ExportLayout,
  fingerprint: string,
  resume: boolean,
): Promise<{ readonly journal: ExportJournal; readonly finished: ReadonlyMap<string, JournalEntry> }> {
  const identity = await identityOf(layout, fingerprint);
  const names = (await target.list()).filter((name) => !isSystemFile(name));
  const found = await ExportJournal.find(target);
  const journalNames: readonly string[] = JOURNAL_FILES;
  const others = names.filter((name) => !journalNames.includes(name)).sort();
  if (found === undefined) {
    // A journal whose first line was cut off is from before anything else was written.
    if (others[0] !== undefined) throw targetNotEmpty(target.label, others[0], '');
    const journal = new ExportJournal(target, identity);
    await journal.save(plannedFiles(layout).reduce((sum, file) => sum + file.size, 0));
    return { journal, finished: new Map() };
  }
  if (JSON.stringify(found.identity) !== JSON.stringify(identity)) {
    throw targetNotEmpty(target.label, found.name, ', the unfinished export of another plan or model');
  }
  const ours = new Set([...plannedFiles(layout).map((file) => file.name), MANIFEST_FILE]);
  const foreign = others.find((name) => !ours.has(name));
  if (foreign !== undefined) throw targetNotEmpty(target.label, foreign, ', which is not part of this export');
  if (!resume) {
    throw new StudioError('export', 'unfinished-export', `"${target.label}" holds an unfinished export of this plan.`, {
      nextStep: 'Resume it (on the command line with --resume), or choose an empty folder.',
      details: { folder: target.label, file: found.name },
    });
  }
  const finished = new Map(found.entries.map((entry) => [entry.file, entry]));
  // config.json goes first, so that at no moment an unfinished folder looks like a model.
  for (const name of [CONFIG_FILE, ...others.filter((other) => other !== CONFIG_FILE)]) {
    if (others.includes(name) && !finished.has(name)) await target.remove(name);
  }
  return { journal: new ExportJournal(target, identity, found.entries, found.name), finished };
}
