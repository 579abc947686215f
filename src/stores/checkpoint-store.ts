import { createStore } from 'zustand/vanilla';
import type { WireError } from '../core/base/errors.ts';
import type { CheckpointSummary } from '../core/checkpoint/summary.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';

/** A source with an id of its own: two folders may bear one name. */
export interface OpenedSource {
  readonly id: string;
  readonly spec: SourceSpec;
}

interface CheckpointState {
  /** What the person chose last, opened or being opened. */
  readonly source: OpenedSource | null;
  /** Facts of `source`, null until its headers are read. */
  readonly summary: CheckpointSummary | null;
  /** Why what was chosen or dropped last could not even be tried. */
  readonly refusal: WireError | null;
  /** A checkpoint was opened since the page was loaded: the first screen does not come back. */
  readonly everOpened: boolean;
}

export const checkpointStore = createStore<CheckpointState>(() => ({
  source: null,
  summary: null,
  refusal: null,
  everOpened: false,
}));

let sources = 0;

/** Makes `spec` the source to open; the former model's facts go. */
export function chooseSource(spec: SourceSpec): void {
  sources++;
  checkpointStore.setState({ source: { id: `${sources}:${spec.label}`, spec }, summary: null, refusal: null });
}

/** Notes a source's facts, and the spec that it was read by, unless another was chosen meanwhile. */
export function noteSummary(source: OpenedSource, summary: CheckpointSummary): void {
  if (isChosen(source)) checkpointStore.setState({ source, summary, everOpened: true });
}

/** False once another source was chosen. */
export function isChosen({ id }: OpenedSource): boolean {
  return checkpointStore.getState().source?.id === id;
}
