import { fromWireError } from '../core/base/errors.ts';
import type { WireResult } from '../core/protocol/calibration-protocol.ts';
import type { CorpusApi, DatasetQuery, FoundDataset, TextPreview } from '../core/protocol/corpus-protocol.ts';
import type { DomainSpec, SourceSpec } from '../core/protocol/source-spec.ts';
import { WorkerHandle } from './worker-handle.ts';

const handle = new WorkerHandle<CorpusApi>(
  'text',
  () => new Worker(new URL('../../workers/corpus.worker.ts', import.meta.url), { type: 'module', name: 'corpus' }),
);

function unwrap<Value>(result: WireResult<Value>): Value {
  if (!result.ok) throw fromWireError(result.error);
  return result.value;
}

/** Data sets with their files, pinned to a commit. @throws StudioError families `usage`, `source`, `corpus`. */
export async function findDatasets(query: DatasetQuery): Promise<readonly FoundDataset[]> {
  return unwrap(await handle.call(async (remote) => await remote.findDatasets(query)));
}

/** What a domain's first file holds. @throws StudioError when it cannot be read at all. */
export async function previewDomain(domain: DomainSpec, model: SourceSpec | null): Promise<TextPreview> {
  return unwrap(await handle.call(async (remote) => await remote.preview(domain, model)));
}
