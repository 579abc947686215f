import * as z from 'zod/mini';
import type { StudioError } from '../base/errors.ts';
import { sha256Schema, wholeNumberSchema } from '../base/versioned-file.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import { JOURNAL_FILES } from './export-files.ts';
import { writeSmallFile } from './guarded-target.ts';
import { foreignRecord } from './target-refusals.ts';

const FORMAT = 'reap-studio/journal';
const VERSION = 2;
/** A line of some 300 bytes for each of the most files that an index can name, and room. */
const MAX_JOURNAL_BYTES = 16_000_000;

/** What an unfinished export belongs to. It goes on only where all of it is the same. */
const identitySchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  planHash: sha256Schema,
  fingerprint: sha256Schema,
  /** sha256 over the names, sizes and headers of all files: another size of the shards lays them out otherwise. */
  layoutHash: sha256Schema,
});
export type JournalIdentity = z.infer<typeof identitySchema>;

/** The identity without what every journal has. */
export type JournalSubject = Omit<JournalIdentity, 'format' | 'version'>;

export function journalIdentity({ planHash, fingerprint, layoutHash }: JournalSubject): JournalIdentity {
  return { format: FORMAT, version: VERSION, planHash, fingerprint, layoutHash };
}

/** A file that was written, closed, re-opened and found right. */
const entrySchema = z.strictObject({
  file: z.string(),
  size: wholeNumberSchema,
  sha256: sha256Schema,
  /** sha256 over the versions of the source files that it was read from. */
  source: sha256Schema,
});
export type JournalEntry = z.infer<typeof entrySchema>;

interface JournalContent {
  readonly identity: JournalIdentity;
  readonly entries: readonly JournalEntry[];
}

/** The longest valid beginning of a journal; undefined when not even its first line is whole. */
function parseJournal(text: string): JournalContent | undefined {
  let identity: JournalIdentity | undefined;
  const entries: JournalEntry[] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      break;
    }
    if (identity === undefined) {
      const parsed = identitySchema.safeParse(json);
      if (!parsed.success) return undefined;
      identity = parsed.data;
    } else {
      const parsed = entrySchema.safeParse(json);
      if (!parsed.success) break;
      entries.push(parsed.data);
    }
  }
  return identity === undefined ? undefined : { identity, entries };
}

/** Why a text under a journal's name is not one, or undefined for one or for the beginning of one that was cut off. */
function foreignness(text: string): string | undefined {
  const opening = `{"format":"${FORMAT}","version":`;
  // What a power cut leaves of a file that was never synced is zeros.
  const kept = text.replace(/\0+$/, '');
  if (opening.startsWith(kept)) return undefined;
  if (!kept.startsWith(opening)) return 'is not a journal of the studio';
  const version = Number.parseInt(kept.slice(opening.length), 10);
  const other = `version of the studio (${version}; this one writes ${VERSION})`;
  if (version > VERSION) return `is the journal of a newer ${other}`;
  if (version < VERSION) return `is the journal of an older ${other}`;
  return kept.includes('\n') && parseJournal(kept) === undefined ? 'is a journal with a damaged first line' : undefined;
}

/** The text under a journal's name, and why it is no journal. */
async function readJournal(target: TargetFolder, name: string): Promise<{ text: string; why: string | undefined }> {
  const source = await target.open(name);
  if (source.size > MAX_JOURNAL_BYTES)
    return { text: '', why: `has ${source.size} bytes, more than a journal can have` };
  const text = new TextDecoder().decode(await source.read(0, source.size));
  return { text, why: foreignness(text) };
}

/**
 * The record, in the target folder itself, of which files are finished. A target can only create and remove files, so
 * each new state is written whole under the name that is free and the old one is removed after it has been closed.
 */
export class ExportJournal {
  readonly #target: TargetFolder;
  readonly #identity: JournalIdentity;
  readonly #entries: Map<string, JournalEntry>;
  #live: string | undefined;

  constructor(target: TargetFolder, identity: JournalIdentity, entries: readonly JournalEntry[] = [], live?: string) {
    this.#target = target;
    this.#identity = identity;
    this.#entries = new Map(entries.map((entry) => [entry.file, entry]));
    this.#live = live;
  }

  /**
   * The most complete journal in the target, or undefined when it holds none whose first line is whole.
   * @throws StudioError family `export` code `foreign-journal` when it holds none, but a file of that name which no export
   * left there.
   */
  static async find(target: TargetFolder): Promise<(JournalContent & { readonly name: string }) | undefined> {
    const names = await target.list();
    let best: (JournalContent & { readonly name: string }) | undefined;
    let foreign: StudioError | undefined;
    for (const name of JOURNAL_FILES) {
      if (!names.includes(name)) continue;
      const { text, why } = await readJournal(target, name);
      if (why !== undefined) foreign = foreignRecord(target.label, name, why);
      const content = parseJournal(text);
      if (content !== undefined && content.entries.length > (best?.entries.length ?? -1)) best = { ...content, name };
    }
    if (best === undefined && foreign !== undefined) throw foreign;
    return best;
  }

  /** Adds a finished file and makes the journal durable. */
  async append(entry: JournalEntry): Promise<void> {
    this.#entries.set(entry.file, entry);
    await this.save();
  }

  /** Writes the present state. */
  async save(): Promise<void> {
    const name = this.#live === JOURNAL_FILES[0] ? JOURNAL_FILES[1] : JOURNAL_FILES[0];
    const text = [this.#identity, ...this.#entries.values()].map((line) => `${JSON.stringify(line)}\n`).join('');
    if ((await this.#target.list()).includes(name)) await this.#target.remove(name);
    await writeSmallFile(this.#target, name, new TextEncoder().encode(text));
    if (this.#live !== undefined) await this.#target.remove(this.#live);
    this.#live = name;
  }

  /** Removes the journal: the export is complete. */
  async remove(): Promise<void> {
    const names = await this.#target.list();
    for (const name of JOURNAL_FILES) if (names.includes(name)) await this.#target.remove(name);
    this.#live = undefined;
  }
}
