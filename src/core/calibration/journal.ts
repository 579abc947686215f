import type { LayerStatistics } from '../saliency/layer-statistics.ts';
import { type CalibrationStatistics, parseStatistics, serialiseStatistics } from '../saliency/statistics-file.ts';

/** What a stopped run goes on from: the layers that are finished and the hidden states that the next one starts with. */
export interface JournalState {
  /** Statistics of the finished layers that hold experts, ascending. */
  readonly statistics: readonly LayerStatistics[];
  /** The layer to compute next. */
  readonly nextLayer: number;
  /** [T, H] of all tokens in the run's order. */
  readonly hidden: Float32Array<ArrayBuffer>;
}

/**
 * Keeps a run's finished layers across a cancel, a crash or a reload. A journal belongs to one run key (model, text, gate
 * mode): another run never sees its state. After a crash at any moment `load` gives a state that was saved, or none.
 */
export interface CalibrationJournal {
  load(): Promise<JournalState | undefined>;
  save(state: JournalState): Promise<void>;
  /** Forgets the run, once its statistics are handed over. */
  clear(): Promise<void>;
}

/** Small named files of one run; `write` replaces a file as a whole or, after a crash, not at all. */
export interface JournalStore {
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  remove(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

const STATE_FILE = 'state.json';

interface StateRecord {
  readonly nextLayer: number;
  readonly hiddenFile: string;
  readonly hiddenBytes: number;
  /** A statistics file of the layers so far. */
  readonly statistics: string;
}

function isStateRecord(value: unknown): value is StateRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof StateRecord, unknown>> = value;
  return (
    Number.isSafeInteger(record.nextLayer) &&
    typeof record.hiddenFile === 'string' &&
    typeof record.hiddenBytes === 'number' &&
    typeof record.statistics === 'string'
  );
}

/** A journal over a store: hidden states in a file of their own, named by the state record, which is written last. */
export class StoredJournal implements CalibrationJournal {
  readonly #store: JournalStore;
  readonly #run: Omit<CalibrationStatistics, 'layers'>;

  constructor(store: JournalStore, run: Omit<CalibrationStatistics, 'layers'>) {
    this.#store = store;
    this.#run = run;
  }

  async load(): Promise<JournalState | undefined> {
    const bytes = await this.#store.read(STATE_FILE);
    if (bytes === undefined) return undefined;
    const record: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (!isStateRecord(record)) return undefined;
    const hidden = await this.#store.read(record.hiddenFile);
    if (hidden === undefined || hidden.byteLength !== record.hiddenBytes) return undefined;
    return {
      statistics: parseStatistics(record.statistics).layers,
      nextLayer: record.nextLayer,
      hidden: new Float32Array(hidden.buffer, hidden.byteOffset, hidden.byteLength / Float32Array.BYTES_PER_ELEMENT),
    };
  }

  async save({ statistics, nextLayer, hidden }: JournalState): Promise<void> {
    const hiddenFile = `hidden-${nextLayer}.f32`;
    await this.#store.write(hiddenFile, new Uint8Array(hidden.buffer, hidden.byteOffset, hidden.byteLength));
    const record: StateRecord = {
      nextLayer,
      hiddenFile,
      hiddenBytes: hidden.byteLength,
      statistics: serialiseStatistics({ ...this.#run, layers: statistics }),
    };
    await this.#store.write(STATE_FILE, new TextEncoder().encode(JSON.stringify(record)));
    await this.#removeExcept(new Set([STATE_FILE, hiddenFile]));
  }

  async clear(): Promise<void> {
    await this.#store.remove(STATE_FILE);
    await this.#removeExcept(new Set());
  }

  async #removeExcept(kept: ReadonlySet<string>): Promise<void> {
    for (const name of await this.#store.names()) if (!kept.has(name)) await this.#store.remove(name);
  }
}
