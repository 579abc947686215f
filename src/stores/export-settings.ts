import { createStore } from 'zustand/vanilla';

export type DestinationKind = 'zip' | 'directory';

interface ExportSettings {
  /** What the person chose; null until then. */
  readonly destination: DestinationKind | null;
  /** Largest size of an output shard in bytes; null: the source's own split. */
  readonly shardBytes: number | null;
}

/** How the next export is written. They outlive the model: a person who wants shards of 5 GB wants them of every one. */
export const exportSettings = createStore<ExportSettings>(() => ({ destination: null, shardBytes: null }));
