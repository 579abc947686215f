import { beforeEach, expect, it, vi } from 'vitest';
import { StudioError } from '../core/base/errors.ts';
import { DEFAULT_ENDPOINT } from '../core/hub/hub-name.ts';
import type { HubQuery, OpenedHub } from '../core/hub/hub-repo.ts';
import { calibrationStore } from './calibration-store.ts';
import { testSummary } from './checkpoint.fixture.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { cancelOpening, openRepo } from './hub-actions.ts';
import { hubStore } from './hub-store.ts';

const client = vi.hoisted(() => ({
  resolveHub: vi.fn<(query: HubQuery) => Promise<OpenedHub>>(),
  stopOpening: vi.fn(),
}));
vi.mock('../client/calibration-client.ts', () => client);

const FILES = [{ name: 'config.json', size: 2 }];
const COMMIT = 'a'.repeat(40);
const never = new AbortController().signal;
const typed = (name: string, token = '', endpoint = DEFAULT_ENDPOINT) => ({ name, endpoint, token });

beforeEach(() => {
  checkpointStore.setState({ source: null, summary: null, refusal: null });
  calibrationStore.setState({ status: 'idle' });
  client.stopOpening.mockReset();
  client.resolveHub.mockReset();
  client.resolveHub.mockImplementation(async ({ repo, endpoint, token }) => ({
    hub: { kind: 'model', repo, commit: COMMIT, endpoint, ...(token === undefined ? {} : { token }) },
    files: FILES,
  }));
});

it('makes a repository the source, pinned at the commit that the hub names', async () => {
  await openRepo(typed(' org/name '), never);
  expect(client.resolveHub).toHaveBeenCalledWith({ repo: 'org/name', endpoint: DEFAULT_ENDPOINT });
  expect(checkpointStore.getState().source?.spec).toEqual({
    kind: 'hub',
    label: 'org/name',
    hub: { kind: 'model', repo: 'org/name', commit: COMMIT, endpoint: DEFAULT_ENDPOINT },
    files: FILES,
  });
});

it('looks up the revision that was typed, and shows it', async () => {
  await openRepo(typed('org/name@v2.0'), never);
  expect(client.resolveHub).toHaveBeenCalledWith({ repo: 'org/name', revision: 'v2.0', endpoint: DEFAULT_ENDPOINT });
  expect(checkpointStore.getState().source?.spec.label).toBe('org/name@v2.0');
});

it('hands a token on to the source, which workers read by, and nowhere else', async () => {
  await openRepo(typed('org/name', ' hf_secret '), never);
  const { spec } = checkpointStore.getState().source ?? {};
  expect(spec).toMatchObject({ hub: { token: 'hf_secret' } });
  expect(JSON.stringify(hubStore.getState())).not.toContain('hf_secret');
  expect(checkpointStore.getState().source?.id).not.toContain('hf_secret');
});

it('asks the mirror that was typed, and keeps it for the next repository', async () => {
  await openRepo(typed('org/name', '', 'https://mirror.example/'), never);
  expect(client.resolveHub).toHaveBeenCalledWith({ repo: 'org/name', endpoint: 'https://mirror.example' });
  expect(hubStore.getState().endpoint).toBe('https://mirror.example');
});

it.each([
  [typed('not a name'), { code: 'bad-repo-name' }],
  [typed('datasets/org/name'), { code: 'not-a-model' }],
  [typed('org/name', '', 'ftp://mirror.example'), { code: 'bad-endpoint' }],
  [typed('org/name', 'hf_secret', 'http://mirror.example'), { code: 'token-unprotected' }],
])('asks nobody about %j', async (request, refusal) => {
  await expect(openRepo(request, never)).rejects.toMatchObject(refusal);
  expect(client.resolveHub).not.toHaveBeenCalled();
});

it('asks nobody while the open model is at work', async () => {
  calibrationStore.setState({ status: 'running' });
  await expect(openRepo(typed('org/name'), never)).rejects.toMatchObject({ code: 'busy' });
  expect(client.resolveHub).not.toHaveBeenCalled();
});

it('leaves the open model as it is when the repository is not found, or is given up meanwhile', async () => {
  await openRepo(typed('org/first'), never);
  const missing = new StudioError('source', 'not-found', 'No such repository.', { nextStep: 'Check its name.' });
  client.resolveHub.mockRejectedValueOnce(missing);
  await expect(openRepo(typed('org/second'), never)).rejects.toBe(missing);
  const control = new AbortController();
  const opening = openRepo(typed('org/third'), control.signal);
  control.abort();
  await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  expect(checkpointStore.getState().source?.spec.label).toBe('org/first');
});

it('gives up what is being opened, but nothing that is open', async () => {
  await openRepo(typed('org/name'), never);
  await cancelOpening();
  expect(checkpointStore.getState().source).toBeNull();
  expect(client.stopOpening).toHaveBeenCalledOnce();
  await openRepo(typed('org/name'), never);
  checkpointStore.setState({ summary: testSummary });
  await cancelOpening();
  expect(checkpointStore.getState().source?.spec.label).toBe('org/name');
  expect(client.stopOpening).toHaveBeenCalledOnce();
});
