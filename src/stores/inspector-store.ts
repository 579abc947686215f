import { createStore } from 'zustand/vanilla';
import type { Architecture } from '../core/architectures/descriptor.ts';
import type { WireError } from '../core/base/errors.ts';
import type { Proposal } from '../core/inspector/proposal.ts';
import type { LayerTest } from '../core/protocol/inspect-protocol.ts';
import type { OpenedSource } from './checkpoint-store.ts';

export type LayerTestState =
  | { readonly status: 'idle' | 'running' }
  | { readonly status: 'passed'; readonly figures: LayerTest }
  | { readonly status: 'failed'; readonly error: WireError };

export interface InspectorState {
  /** The model that the inspector shows; null while it is closed. */
  readonly source: OpenedSource | null;
  /** Why that model could not be opened; null for one that was. */
  readonly refusal: WireError | null;
  readonly status: 'reading' | 'ready';
  /** `model_type` of config.json, '' when it has none. */
  readonly modelType: string;
  /** What the files show; null where they show no model with experts. */
  readonly proposal: Proposal | null;
  /** The descriptor as corrected so far. */
  readonly descriptor: Architecture | null;
  /** Of the present descriptor. */
  readonly test: LayerTestState;
  /** A descriptor for this type is kept in this browser. */
  readonly kept: boolean;
  /** The model is being opened with the descriptor. */
  readonly opening: boolean;
  /** What was done last, as a sentence. */
  readonly notice: string | null;
  /** Why what was asked for last did not work. */
  readonly error: WireError | null;
}

const CLOSED: InspectorState = {
  source: null,
  refusal: null,
  status: 'reading',
  modelType: '',
  proposal: null,
  descriptor: null,
  test: { status: 'idle' },
  kept: false,
  opening: false,
  notice: null,
  error: null,
};

export const inspectorStore = createStore<InspectorState>(() => CLOSED);

/** Shows a model in the inspector, its files still to be read. */
export function beginInspection(source: OpenedSource, refusal: WireError | null): void {
  inspectorStore.setState({ ...CLOSED, source, refusal }, true);
}

export function closeInspector(): void {
  inspectorStore.setState(CLOSED, true);
}

/** Puts another descriptor in the place of the present one; a test of that one says nothing of it. */
export function setDescriptor(descriptor: Architecture, notice: string | null): void {
  inspectorStore.setState({ descriptor, test: { status: 'idle' }, notice, error: null });
}
