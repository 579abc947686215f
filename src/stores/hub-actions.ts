import { StudioError } from '../core/base/errors.ts';
import { normaliseEndpoint } from '../core/hub/hub-endpoint.ts';
import { parseHubName } from '../core/hub/hub-name.ts';
import { changeSource, whyBusy } from './checkpoint-actions.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { hubPolicyError } from './hub-policy.ts';
import { checkTokenMayTravel, chooseEndpoint } from './hub-store.ts';

/** What the person typed. */
export interface TypedRepo {
  readonly name: string;
  readonly endpoint: string;
  /** '' for none. It goes into the source's own description, in memory, and nowhere else. */
  readonly token: string;
}

/**
 * Finds a repository on its hub and makes it the source to open, pinned at its commit. The open model stays when it is
 * not found, or when `signal` fires first.
 *
 * @throws StudioError usage/*, source/*; the signal's reason.
 */
export async function openRepo(typed: TypedRepo, signal: AbortSignal): Promise<void> {
  const busy = whyBusy();
  if (busy !== null) throw busy;
  const { kind, repo, revision } = parseHubName(typed.name);
  if (kind !== 'model') throw notAModelError(repo);
  const endpoint = normaliseEndpoint(typed.endpoint);
  const token = typed.token.trim();
  if (token !== '') checkTokenMayTravel(endpoint);
  chooseEndpoint(endpoint);
  const { resolveHub } = await import('../client/calibration-client.ts');
  try {
    const query = {
      repo,
      endpoint,
      ...(revision === undefined ? {} : { revision }),
      ...(token === '' ? {} : { token }),
    };
    const { hub, files } = await resolveHub(query);
    signal.throwIfAborted();
    changeSource({ kind: 'hub', label: revision === undefined ? repo : `${repo}@${revision}`, hub, files });
  } catch (error) {
    throw (await hubPolicyError(error, endpoint)) ?? error;
  }
}

/** Gives up what is being opened, if its headers are not read yet: its requests end, and nothing is open. */
export async function cancelOpening(): Promise<void> {
  const { source, summary } = checkpointStore.getState();
  if (source === null || summary !== null) return;
  checkpointStore.setState({ source: null, refusal: null });
  const { stopOpening } = await import('../client/calibration-client.ts');
  stopOpening();
}

function notAModelError(repo: string): StudioError {
  return new StudioError('usage', 'not-a-model', `"${repo}" is a data set: there is no model in it to prune.`, {
    nextStep: 'Give the name of a model here; choose the data set as the text to calibrate on.',
    details: { repo },
  });
}
