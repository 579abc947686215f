import { createStore } from 'zustand/vanilla';
import { StudioError } from '../core/base/errors.ts';
import { normaliseEndpoint } from '../core/hub/hub-endpoint.ts';
import { DEFAULT_ENDPOINT } from '../core/hub/hub-name.ts';

const ENDPOINT_KEY = 'reap-studio.hub-endpoint';

/** What the dialog that opens repositories begins with. */
export interface RepoRequest {
  /** `org/name`, `org/name@revision` or an address; '' for the person to fill in. */
  readonly name: string;
  readonly endpoint: string;
  /** Look it up at once. */
  readonly submit: boolean;
}

interface HubState {
  /** Hub or mirror that was chosen last. */
  readonly endpoint: string;
  /** Null while the dialog is closed. */
  readonly request: RepoRequest | null;
}

export const hubStore = createStore<HubState>(() => ({ endpoint: storedEndpoint(), request: null }));

/** Shows the dialog that opens a repository. */
export function askForRepo(request: Partial<RepoRequest> = {}): void {
  hubStore.setState(({ endpoint }) => ({ request: { name: '', endpoint, submit: false, ...request } }));
}

export function closeRepoDialog(): void {
  hubStore.setState({ request: null });
}

/** Keeps the endpoint for this visit and the next. */
export function chooseEndpoint(endpoint: string): void {
  hubStore.setState({ endpoint });
  try {
    if (endpoint === DEFAULT_ENDPOINT) localStorage.removeItem(ENDPOINT_KEY);
    else localStorage.setItem(ENDPOINT_KEY, endpoint);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}

function storedEndpoint(): string {
  try {
    return normaliseEndpoint(localStorage.getItem(ENDPOINT_KEY) ?? DEFAULT_ENDPOINT);
  } catch {
    return DEFAULT_ENDPOINT;
  }
}

/** @throws StudioError usage/token-unprotected when a token would travel in the clear. */
export function checkTokenMayTravel(endpoint: string): void {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return;
  throw new StudioError(
    'usage',
    'token-unprotected',
    `${endpoint} is not encrypted: a token would be sent in the clear.`,
    {
      nextStep: 'Use the https:// address of this hub, or leave the token out.',
      details: { endpoint },
    },
  );
}
