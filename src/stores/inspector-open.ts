import { toWireError, type WireError } from '../core/base/errors.ts';
import { checkpointStore, type OpenedSource } from './checkpoint-store.ts';
import { keptDescriptor } from './inspector-kept.ts';
import { beginInspection, closeInspector, inspectorStore } from './inspector-store.ts';

/** No descriptor fits at all: the inspector opens by itself. */
const NO_ROW: ReadonlySet<string> = new Set(['unknown-architecture', 'unclassified-tensor']);
/** Files and descriptor differ: either may be at fault, and the inspector is offered. */
const MISFIT: ReadonlySet<string> = new Set(['missing-tensor', 'shape-mismatch', 'tensor-out-of-range', 'bad-config']);

export function needsInspector({ family, code }: WireError): boolean {
  return family === 'checkpoint' && NO_ROW.has(code);
}

/** True for refusals that another descriptor could meet. */
export function isInspectable(error: WireError): boolean {
  return needsInspector(error) || (error.family === 'checkpoint' && MISFIT.has(error.code));
}

/**
 * Works out how a model is built and shows it. `refusal`: why it could not be opened, null for one that was. Where the
 * files cannot be read at all, the inspector closes and says so in the page.
 */
export async function openInspector(source: OpenedSource, refusal: WireError | null): Promise<void> {
  beginInspection(source, refusal);
  const isCurrent = () => inspectorStore.getState().source?.id === source.id;
  try {
    const { inspectModel } = await import('../client/inspect-client.ts');
    const { modelType, known, proposal, refusal: error } = await inspectModel(source.spec);
    if (!isCurrent()) return;
    // One that was dropped meanwhile stays.
    const { descriptor: taken } = inspectorStore.getState();
    const descriptor = taken ?? (refusal === null ? known : null) ?? proposal?.descriptor ?? known;
    const kept = keptDescriptor(modelType) !== null;
    inspectorStore.setState({ status: 'ready', modelType, proposal, descriptor, error, kept });
  } catch (error) {
    if (!isCurrent()) return;
    closeInspector();
    // The page shows the refusal of the model itself already.
    if (refusal === null) checkpointStore.setState({ refusal: toWireError(error) });
  }
}
