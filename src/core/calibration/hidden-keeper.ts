import { isAbortError } from '../base/abort.ts';
import { StudioError } from '../base/errors.ts';
import type { HiddenRows, HiddenWriter } from './hidden-states.ts';
import type { CalibrationJournal, JournalState } from './journal.ts';
import type { TokenBlock } from './token-blocks.ts';

type Rows = Float32Array<ArrayBuffer>;

export interface HiddenKeeping {
  readonly blocks: readonly TokenBlock[];
  /** H. */
  readonly width: number;
  /** Hidden states wait in memory, and go into the journal as well; otherwise they wait in its files alone. */
  readonly held: boolean;
  readonly journal: CalibrationJournal | undefined;
  /** Told once when a held run goes on without its journal. Left out: such a failure ends the run. */
  readonly onFailure?: (error: unknown) => void;
  /** What the first layer begins with: rows of an earlier run, or each block's embeddings. */
  readonly first: HiddenRows | ((block: TokenBlock) => Promise<Rows>);
}

function cannotSpill(cause: unknown): StudioError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new StudioError(
    'calibration',
    'cannot-spill',
    `The hidden states of this much text do not fit the memory budget, and they cannot be stored here${reason}.`,
    {
      nextStep: 'Make room on the disk, take fewer tokens, or allow the run more memory; finished layers are kept.',
      details: {},
      cause,
    },
  );
}

/** Keeps the hidden states of all blocks from one layer to the next, in memory or in the journal's files. */
export class HiddenKeeper {
  readonly #keeping: HiddenKeeping;
  readonly #firstRow: readonly number[];
  readonly #memory: (Rows | undefined)[] = [];
  #stored: HiddenRows | ((block: TokenBlock) => Promise<Rows>) | undefined;
  #journal: CalibrationJournal | undefined;
  #writer: HiddenWriter | undefined;
  #goesOn = true;

  constructor(keeping: HiddenKeeping) {
    this.#keeping = keeping;
    this.#stored = keeping.first;
    this.#journal = keeping.journal;
    let row = 0;
    this.#firstRow = keeping.blocks.map(({ tokens }) => {
      row += tokens;
      return row - tokens;
    });
  }

  /** Starts the layer before `nextLayer`. `goesOn`: its output is needed. */
  async begin(nextLayer: number, goesOn: boolean): Promise<void> {
    this.#goesOn = goesOn;
    await this.#durably(async (journal) => {
      this.#writer = await journal.begin(nextLayer);
    });
    if (goesOn && !this.#keeping.held && this.#writer === undefined) throw cannotSpill(undefined);
  }

  /** [T, H] that the layer begins with; a block held in memory is handed over. */
  async take(index: number): Promise<Rows> {
    const held = this.#memory[index];
    this.#memory[index] = undefined;
    if (held !== undefined) return held;
    const { blocks, width } = this.#keeping;
    const block = blocks[index];
    if (block === undefined || this.#stored === undefined) throw new RangeError(`block ${index} was taken twice`);
    if (typeof this.#stored === 'function') return this.#stored(block);
    return this.#stored.read(this.#firstRow[index] ?? 0, block.tokens, width);
  }

  /** [T, H] that the layer ends with. */
  async put(index: number, rows: Rows): Promise<void> {
    if (!this.#goesOn) return;
    if (this.#keeping.held) this.#memory[index] = rows;
    else await this.#durably(() => this.#writer?.append(rows));
  }

  /** Ends the layer: what was put is what the next one takes. */
  async save(state: Omit<JournalState, 'hidden'>): Promise<void> {
    const { held } = this.#keeping;
    let stored: HiddenRows | undefined;
    await this.#durably(async (journal) => {
      const writer = this.#writer;
      if (writer === undefined) return;
      if (held && this.#goesOn) for (const rows of this.#memory) if (rows !== undefined) await writer.append(rows);
      await writer.close();
      this.#writer = undefined;
      stored = await journal.save(state);
    });
    this.#stored = held ? undefined : stored;
  }

  /** Gives up a layer that was not finished; after the last `save` it does nothing. */
  async abandon(): Promise<void> {
    await this.#writer?.abort();
    this.#writer = undefined;
  }

  /** Runs a step of the journal. A held run goes on without it where the caller wants to be told; a spilled one ends. */
  async #durably(step: (journal: CalibrationJournal) => Promise<void> | undefined): Promise<void> {
    const journal = this.#journal;
    if (journal === undefined) return;
    try {
      await step(journal);
    } catch (error) {
      const { held, onFailure } = this.#keeping;
      await this.abandon();
      if (isAbortError(error)) throw error;
      if (!held) throw cannotSpill(error);
      if (onFailure === undefined) throw error;
      this.#journal = undefined;
      onFailure(error);
    }
  }
}
