import { createXXHash64, type IHasher } from 'hash-wasm';
import { StudioError } from '../base/errors.ts';
import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import { type CalibrationStatistics, parseStatistics, serialiseStatistics } from '../saliency/statistics-file.ts';
import type { HiddenRows, HiddenWriter } from './hidden-states.ts';

/** What a stopped run goes on from: the layers that are finished and the hidden states that the next one starts with. */
export interface JournalState {
  /** Statistics of the finished layers that hold experts, ascending. */
  readonly statistics: readonly LayerStatistics[];
  /** The layer to compute next. */
  readonly nextLayer: number;
  readonly hidden: HiddenRows;
}

/**
 * Keeps a run's finished layers across a cancel, a crash or a reload. A journal belongs to one run key (model, text, gate
 * mode): another run never sees its state. After a crash at any moment `load` gives a state that was saved, or none.
 */
export interface CalibrationJournal {
  /** Undefined when nothing was saved, or what was saved is damaged. */
  load(): Promise<JournalState | undefined>;
  /** Starts the hidden states that layer `nextLayer` begins with; those of the former state stay until `save`. */
  begin(nextLayer: number): Promise<HiddenWriter>;
  /** Makes the state durable that `begin(nextLayer)` and its closed writer started, and removes the former one. */
  save(state: Omit<JournalState, 'hidden'>): Promise<HiddenRows>;
  /** Forgets the run, once its statistics are handed over. */
  clear(): Promise<void>;
}

/** A file of a store that is open for reading. */
export interface StoredFile {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A file of a store that is being written; it stands under its name once `close` resolves, and not before. */
export interface StoreWriter {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/** Named files of one run. A file is replaced as a whole or, after a crash, not at all. */
export interface JournalStore {
  create(name: string): Promise<StoreWriter>;
  open(name: string): Promise<StoredFile | undefined>;
  remove(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

const STATE_FILE = 'state.json';
const STATE_VERSION = 2;
const PIECE_BYTES = 16 * 1024 * 1024;

interface StateRecord {
  readonly version: number;
  readonly nextLayer: number;
  readonly hiddenFile: string;
  readonly hiddenBytes: number;
  /** XXH64 of the hidden states' file, hex. */
  readonly hiddenHash: string;
  /** A statistics file of the layers so far. */
  readonly statistics: string;
}

function isStateRecord(value: unknown): value is StateRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof StateRecord, unknown>> = value;
  return (
    record.version === STATE_VERSION &&
    Number.isSafeInteger(record.nextLayer) &&
    typeof record.hiddenFile === 'string' &&
    typeof record.hiddenBytes === 'number' &&
    typeof record.hiddenHash === 'string' &&
    typeof record.statistics === 'string'
  );
}

/** The record and its statistics, or undefined when either is damaged. */
function parseState(bytes: Uint8Array): { record: StateRecord; statistics: readonly LayerStatistics[] } | undefined {
  try {
    const record: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isStateRecord(record) ? { record, statistics: parseStatistics(record.statistics).layers } : undefined;
  } catch {
    return undefined;
  }
}

function damaged(what: string): StudioError {
  return new StudioError('calibration', 'bad-journal', `The stored hidden states cannot be read back: ${what}.`, {
    nextStep: 'Start the calibration anew, without the finished layers of the earlier run.',
    details: {},
  });
}

class StoredRows implements HiddenRows {
  readonly #file: StoredFile;

  constructor(file: StoredFile) {
    this.#file = file;
  }

  async read(first: number, count: number, width: number): Promise<Float32Array<ArrayBuffer>> {
    const rowBytes = width * Float32Array.BYTES_PER_ELEMENT;
    const length = count * rowBytes;
    if ((first + count) * rowBytes > this.#file.size) throw damaged('there are fewer than this run needs');
    const bytes = await this.#file.read(first * rowBytes, length);
    if (bytes.byteLength !== length) throw damaged('they end too early');
    return new Float32Array(bytes.buffer, bytes.byteOffset, length / Float32Array.BYTES_PER_ELEMENT);
  }
}

interface Generation {
  readonly name: string;
  readonly bytes: number;
  readonly hash: string;
}

/** A journal over a store: hidden states in a file of their own, named by the state record, which is written last. */
export class StoredJournal implements CalibrationJournal {
  readonly #store: JournalStore;
  readonly #run: Omit<CalibrationStatistics, 'layers'>;
  #written: Generation | undefined;

  constructor(store: JournalStore, run: Omit<CalibrationStatistics, 'layers'>) {
    this.#store = store;
    this.#run = run;
  }

  async load(): Promise<JournalState | undefined> {
    const state = await this.#store.open(STATE_FILE);
    const parsed = state === undefined ? undefined : parseState(await state.read(0, state.size));
    if (parsed === undefined) return undefined;
    const { record, statistics } = parsed;
    const hidden = await this.#store.open(record.hiddenFile);
    if (hidden === undefined || hidden.size !== record.hiddenBytes) return undefined;
    if ((await hashFile(hidden)) !== record.hiddenHash) return undefined;
    return {
      statistics,
      nextLayer: record.nextLayer,
      hidden: new StoredRows(hidden),
    };
  }

  async begin(nextLayer: number): Promise<HiddenWriter> {
    const name = `hidden-${nextLayer}.f32`;
    const hasher = await createXXHash64();
    const writer = await this.#store.create(name);
    let bytes = 0;
    return {
      append: async (rows) => {
        const piece = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
        hasher.update(piece);
        bytes += piece.byteLength;
        await writer.write(piece);
      },
      close: async () => {
        await writer.close();
        this.#written = { name, bytes, hash: hasher.digest() };
      },
      abort: () => writer.abort().catch(() => undefined),
    };
  }

  async save({ statistics, nextLayer }: Omit<JournalState, 'hidden'>): Promise<HiddenRows> {
    const written = this.#written;
    if (written === undefined) throw new RangeError('no hidden states were written before the state was saved');
    const record: StateRecord = {
      version: STATE_VERSION,
      nextLayer,
      hiddenFile: written.name,
      hiddenBytes: written.bytes,
      hiddenHash: written.hash,
      statistics: serialiseStatistics({ ...this.#run, layers: statistics }),
    };
    const writer = await this.#store.create(STATE_FILE);
    try {
      await writer.write(new TextEncoder().encode(JSON.stringify(record)));
      await writer.close();
    } catch (error) {
      await writer.abort().catch(() => undefined);
      throw error;
    }
    await this.#removeExcept(new Set([STATE_FILE, written.name]));
    const hidden = await this.#store.open(written.name);
    if (hidden === undefined) throw damaged('their file is gone');
    return new StoredRows(hidden);
  }

  async clear(): Promise<void> {
    await this.#store.remove(STATE_FILE);
    await this.#removeExcept(new Set());
  }

  async #removeExcept(kept: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#store.names()) if (!kept.has(name)) await this.#store.remove(name);
  }
}

async function hashFile(file: StoredFile): Promise<string> {
  const hasher: IHasher = await createXXHash64();
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    hasher.update(await file.read(at, Math.min(PIECE_BYTES, file.size - at)));
  }
  return hasher.digest();
}
