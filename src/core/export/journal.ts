import * as z from 'zod/mini';
import { StudioError } from '../base/errors.ts';
import { sha256Schema, wholeNumberSchema } from '../base/versioned-file.ts';
import type { TargetFolder } from '../bytes/byte-sink.ts';
import { JOURNAL_FILES } from './export-files.ts';
import { writeFailure } from './write-failure.ts';

/** What an unfinished export belongs to. It goes on only where all of it is the same. */
const identitySchema = z.strictObject({
  format: z.literal('reap-studio/journal'),
  version: z.literal(1),
  planHash: sha256Schema,
  fingerprint: sha256Schema,
  /** sha256 over the names, sizes and headers of all files: another version of the studio might lay them out otherwise. */
  layoutHash: sha256Schema,
});
export type JournalIdentity = z.infer<typeof identitySchema>;

/** A file that was written, closed, re-opened and found right. */
const entrySchema = z.strictObject({ file: z.string(), size: wholeNumberSchema, sha256: sha256Schema });
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

  /** The most complete journal in the target, or undefined when it holds none that can be read. */
  static async find(target: TargetFolder): Promise<(JournalContent & { readonly name: string }) | undefined> {
    const names = await target.list();
    let best: (JournalContent & { readonly name: string }) | undefined;
    for (const name of JOURNAL_FILES) {
      if (!names.includes(name)) continue;
      const source = await target.open(name);
      const content = parseJournal(new TextDecoder().decode(await source.read(0, source.size)));
      if (content === undefined) continue;
      if (best === undefined || content.entries.length > best.entries.length) best = { ...content, name };
    }
    return best;
  }

  /** Adds a finished file and makes the journal durable. */
  async append(entry: JournalEntry, missingBytes: number): Promise<void> {
    this.#entries.set(entry.file, entry);
    await this.save(missingBytes);
  }

  /**
   * Writes the present state.
   * @param missingBytes Bytes of the export that are still to be written, for the sentence about a full disk.
   * @throws StudioError family `export` as write-failure.ts says.
   */
  async save(missingBytes: number): Promise<void> {
    const name = this.#live === JOURNAL_FILES[0] ? JOURNAL_FILES[1] : JOURNAL_FILES[0];
    const text = [this.#identity, ...this.#entries.values()].map((line) => `${JSON.stringify(line)}\n`).join('');
    const bytes = new TextEncoder().encode(text);
    try {
      if ((await this.#target.list()).includes(name)) await this.#target.remove(name);
      const sink = await this.#target.create(name);
      try {
        await sink.write(bytes);
        await sink.close();
      } catch (error) {
        await sink.abort(error).catch(() => undefined);
        throw error;
      }
      if (this.#live !== undefined) await this.#target.remove(this.#live);
    } catch (error) {
      throw writeFailure(error, name, missingBytes);
    }
    this.#live = name;
  }

  /** Removes the journal: the export is complete. */
  async remove(): Promise<void> {
    const names = await this.#target.list();
    for (const name of JOURNAL_FILES) if (names.includes(name)) await this.#target.remove(name);
    this.#live = undefined;
  }
}

/** The refusal of a target that holds something else. `found` is a file in it. */
export function targetNotEmpty(label: string, found: string, why: string): StudioError {
  return new StudioError('export', 'target-not-empty', `"${label}" is not empty: it holds "${found}"${why}.`, {
    nextStep: 'Choose an empty folder, or empty this one yourself; the studio removes nothing that it did not write.',
    details: { file: found, folder: label },
  });
}
