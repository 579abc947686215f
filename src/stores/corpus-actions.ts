import type { TextPreview } from '../core/protocol/corpus-protocol.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { addOwnTexts, type OwnText } from './corpus-store.ts';
import { hubPolicyError } from './hub-policy.ts';
import { checkTokenMayTravel, hubStore } from './hub-store.ts';

const client = () => import('../client/corpus-client.ts');

/**
 * Finds data sets on the hub that was chosen last and adds each as a text of its own, pinned to its commit.
 *
 * @param datasets `org/name[subset](split):N,…`
 * @param typedToken '' for none: then the open model's, where it comes from the same hub
 * @throws StudioError families `usage`, `source`, `corpus`
 */
export async function addDatasets(datasets: string, typedToken: string): Promise<void> {
  const { endpoint } = hubStore.getState();
  const token = typedToken.trim() === '' ? tokenOfModel(endpoint) : typedToken.trim();
  if (token !== undefined) checkTokenMayTravel(endpoint);
  const { findDatasets } = await client();
  try {
    const found = await findDatasets({ datasets, endpoint, ...(token === undefined ? {} : { token }) });
    addOwnTexts(found.map(({ name, text }) => ({ name, text, size: text.samples })));
  } catch (error) {
    throw (await hubPolicyError(error, endpoint)) ?? error;
  }
}

function tokenOfModel(endpoint: string): string | undefined {
  const spec = checkpointStore.getState().source?.spec;
  return spec?.kind === 'hub' && spec.hub.endpoint === endpoint ? spec.hub.token : undefined;
}

/** What a text holds and how it will be used with the model. @throws StudioError when it cannot be read at all. */
export async function previewOwnText({ name, text, column }: OwnText, model: SourceSpec | null): Promise<TextPreview> {
  const { previewDomain } = await client();
  return previewDomain({ name, texts: [text], ...(column === undefined ? {} : { column }) }, model);
}
