import { get } from 'idb-keyval';
import { beforeEach, expect, it, vi } from 'vitest';
import type { HubRepo } from '../core/hub/hub-repo.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { folderHandle } from './directory-handle.fixture.ts';
import { forgetSource, loadRemembered, MOST_REMEMBERED, rememberedStore, rememberSource } from './remembered-store.ts';

const database = new Map<unknown, unknown>();
vi.mock('idb-keyval', () => ({
  get: vi.fn(async (key: unknown) => database.get(key)),
  set: vi.fn(async (key: unknown, value: unknown) => void database.set(key, value)),
}));

const TOKEN = 'hf_secret';
const hub: HubRepo = {
  kind: 'model',
  repo: 'org/name',
  commit: 'a'.repeat(40),
  endpoint: 'https://huggingface.co',
  token: TOKEN,
};
const ofHub = (label: string, endpoint = hub.endpoint): SourceSpec => ({
  kind: 'hub',
  label,
  hub: { ...hub, endpoint },
  files: [{ name: 'config.json', size: 2 }],
});
const ofFolder = (label: string, id = label): SourceSpec => ({ kind: 'directory', label, handle: folderHandle(id) });

const labels = () => rememberedStore.getState().sources.map(({ label }) => label);

beforeEach(() => {
  database.clear();
  rememberedStore.setState({ sources: [] });
});

it('keeps folders and repositories, the newest first, for the next visit', async () => {
  await rememberSource(ofFolder('one'));
  await rememberSource(ofHub('org/name'));
  expect(labels()).toEqual(['org/name', 'one']);
  rememberedStore.setState({ sources: [] });
  await loadRemembered();
  expect(labels()).toEqual(['org/name', 'one']);
  const [repo, folder] = rememberedStore.getState().sources;
  expect(Object.keys(repo ?? {}).sort()).toEqual(['endpoint', 'kind', 'label', 'time']);
  expect(Object.keys(folder ?? {}).sort()).toEqual(['handle', 'kind', 'label', 'time']);
});

it('never keeps a token', async () => {
  await rememberSource(ofHub('org/private'));
  expect(database.size).toBe(1);
  expect(JSON.stringify([...database.values()])).not.toContain(TOKEN);
});

it('keeps what was opened twice once, at the head; a folder is told by what it is, a repository by name and hub', async () => {
  await rememberSource(ofFolder('model', 'a'));
  await rememberSource(ofFolder('model', 'b'));
  await rememberSource(ofHub('org/name'));
  await rememberSource(ofHub('org/name', 'https://mirror.example'));
  await rememberSource(ofHub('org/name'));
  await rememberSource(ofFolder('model', 'a'));
  expect(
    rememberedStore.getState().sources.map((source) => (source.kind === 'hub' ? source.endpoint : source.handle.name)),
  ).toEqual(['a', 'https://huggingface.co', 'https://mirror.example', 'b']);
});

it(`keeps ${MOST_REMEMBERED} at most`, async () => {
  for (let number = 1; number <= MOST_REMEMBERED + 2; number++) await rememberSource(ofFolder(`folder ${number}`));
  expect(labels()).toEqual(['folder 7', 'folder 6', 'folder 5', 'folder 4', 'folder 3']);
});

it('does not remember what could not be opened again', async () => {
  await rememberSource({ kind: 'files', label: '2 files', files: [] });
  await rememberSource({ kind: 'http', label: 'demo', baseUrl: '/demo/', names: [] });
  expect(database.size).toBe(0);
  expect(labels()).toEqual([]);
});

it('takes in what another tab kept meanwhile', async () => {
  await rememberSource(ofFolder('mine'));
  const theirs = { kind: 'hub', label: 'org/theirs', time: 1, endpoint: hub.endpoint };
  for (const [key, value] of database) database.set(key, [theirs, ...(Array.isArray(value) ? value : [])]);
  await rememberSource(ofFolder('next'));
  expect(labels()).toEqual(['next', 'org/theirs', 'mine']);
});

it('forgets one', async () => {
  await rememberSource(ofFolder('one'));
  await rememberSource(ofFolder('two'));
  const [, one] = rememberedStore.getState().sources;
  if (one === undefined) throw new Error('Two were kept.');
  await forgetSource(one);
  expect(labels()).toEqual(['two']);
  await loadRemembered();
  expect(labels()).toEqual(['two']);
});

it('keeps nothing, and says nothing, where the browser stores nothing', async () => {
  vi.mocked(get).mockRejectedValue(new DOMException('denied', 'InvalidStateError'));
  await rememberSource(ofFolder('one'));
  await loadRemembered();
  expect(labels()).toEqual([]);
  vi.mocked(get).mockReset();
});
