import { fromWireError, StudioError } from '../core/base/errors.ts';
import type { WireResult } from '../core/protocol/calibration-protocol.ts';
import type { InspectApi, Inspection, LayerTest } from '../core/protocol/inspect-protocol.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { WorkerHandle } from './worker-handle.ts';

const handle = new WorkerHandle<InspectApi>(
  'inspector',
  () => new Worker(new URL('../../workers/inspect.worker.ts', import.meta.url), { type: 'module', name: 'inspect' }),
);

function unwrap<Value>(result: WireResult<Value>): Value {
  if (!result.ok) throw fromWireError(result.error);
  return result.value;
}

/** `model_type` of a source's config.json, '' when it has none. @throws StudioError when the files cannot be read. */
export async function readModelType(source: SourceSpec): Promise<string> {
  return unwrap(await handle.call(async (remote) => await remote.modelType(source)));
}

/** A proposed descriptor with its evidence. @throws StudioError when the files cannot be read. */
export async function inspectModel(source: SourceSpec): Promise<Inspection> {
  return unwrap(await handle.call(async (remote) => await remote.inspect(source)));
}

/** Computes one layer by the source's descriptor. @throws StudioError that says what is wrong with it. */
export async function testLayer(source: SourceSpec): Promise<LayerTest> {
  return unwrap(await handle.call(async (remote) => await remote.testLayer(source)));
}

/** Ends the worker: a test under way rejects with the code `cancelled`. The next call starts another. */
export function stopInspector(): void {
  handle.terminate(
    new StudioError('internal', 'cancelled', 'The test was cancelled.', { nextStep: 'Start it again when you like.' }),
  );
}
