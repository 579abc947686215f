import { StudioError } from '../base/errors.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import { CONFIG_FILE, isSystemFile, JOURNAL_FILES, LOCK_FILE, MANIFEST_FILE } from './export-files.ts';
import type { ExportLayout, PlannedFile } from './export-layout.ts';
import { ExportJournal, type JournalEntry, type JournalIdentity, journalIdentity } from './journal.ts';
import { Sha256 } from './sha256.ts';
import { foreignRecord, targetNotEmpty } from './target-refusals.ts';
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
  const layoutHash = hasher.digest();
  hasher.release();
  return journalIdentity({ planHash: layout.planHash, fingerprint, layoutHash });
}

/** The command line holds its lock while it exports; a page that finds one must not write beside it. */
function refuseLocked(target: TargetFolder): StudioError {
  return new StudioError(
    'export',
    'export-running',
    `"${LOCK_FILE}" in "${target.label}" says that reap-studio writes into this folder.`,
    {
      nextStep: `Wait until it has ended. If none runs any more, on this computer or another one, delete "${LOCK_FILE}" and try again.`,
      details: { folder: target.label, file: LOCK_FILE },
    },
  );
}

export interface OpenedTarget {
  readonly journal: ExportJournal;
  /** What the journal says is finished, by file. */
  readonly finished: ReadonlyMap<string, JournalEntry>;
}

export interface TargetRequest {
  readonly layout: ExportLayout;
  readonly fingerprint: string;
  /** Go on where an earlier run of the same export ended. */
  readonly resume: boolean;
  /** Whether LOCK_FILE in the target is the caller's own. */
  readonly lockHeld: boolean;
}

/**
 * Makes the target ready: an empty one gets a journal; one that holds the journal of this very export is cleared of what
 * was not finished and goes on. Anything else is refused untouched.
 * @returns undefined when the target holds files but no journal, and `resume` allows that it is this export, complete.
 * @throws StudioError family `export`: `target-not-empty`, `foreign-journal`, `export-running`, `unfinished-export` (when
 * `resume` is false).
 */
export async function openTarget(target: TargetFolder, request: TargetRequest): Promise<OpenedTarget | undefined> {
  const { layout, fingerprint, resume, lockHeld } = request;
  const identity = await identityOf(layout, fingerprint);
  const names = (await target.list()).filter((name) => !isSystemFile(name));
  if (!lockHeld && names.includes(LOCK_FILE)) throw refuseLocked(target);
  const found = await ExportJournal.find(target);
  const records: readonly string[] = [...JOURNAL_FILES, LOCK_FILE];
  const others = names.filter((name) => !records.includes(name)).sort();
  if (found === undefined) {
    if (others[0] !== undefined) {
      if (resume && names.includes(MANIFEST_FILE)) return undefined;
      throw targetNotEmpty(target.label, others[0], '');
    }
    // A journal whose first line was cut off is from before anything else was written.
    const journal = new ExportJournal(target, identity);
    await journal.save();
    return { journal, finished: new Map() };
  }
  if (JSON.stringify(found.identity) !== JSON.stringify(identity)) {
    throw targetNotEmpty(
      target.label,
      found.name,
      ', the unfinished export of another plan or model, or with another size of the shards',
    );
  }
  const ours = new Set([...plannedFiles(layout).map((file) => file.name), MANIFEST_FILE]);
  const foreign = others.find((name) => !ours.has(name));
  if (foreign !== undefined) throw targetNotEmpty(target.label, foreign, ', which is not part of this export');
  const stranger = found.entries.find(({ file }) => !ours.has(file));
  if (stranger !== undefined)
    throw foreignRecord(target.label, found.name, `names "${stranger.file}", which is not part of this export`);
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
