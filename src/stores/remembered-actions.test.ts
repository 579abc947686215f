import { beforeEach, expect, it, vi } from 'vitest';
import { StudioError } from '../core/base/errors.ts';
import { calibrationStore } from './calibration-store.ts';
import { changeSource } from './checkpoint-actions.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { folderHandle } from './directory-handle.fixture.ts';
import { hubStore } from './hub-store.ts';
import { openAgain, openRemembered } from './remembered-actions.ts';

const openRepo = vi.hoisted(() => vi.fn());
vi.mock('./hub-actions.ts', () => ({ openRepo }));

const folder = (handle: FileSystemDirectoryHandle) => ({ kind: 'directory', label: 'model', time: 1, handle }) as const;

beforeEach(() => {
  checkpointStore.setState({ source: null, summary: null, refusal: null });
  calibrationStore.setState({ status: 'idle' });
  hubStore.setState({ request: null });
});

it('opens a folder that may still be read', async () => {
  const file = new File(['{}'], 'config.json', { lastModified: 7 });
  const handle = folderHandle('model', { files: [file] });
  const ask = vi.spyOn(handle, 'requestPermission');
  await openRemembered(folder(handle));
  expect(checkpointStore.getState().source?.spec).toEqual({
    kind: 'directory',
    label: 'model',
    handle,
    chosen: [{ name: 'config.json', size: 2, lastModified: 7 }],
  });
  expect(ask).not.toHaveBeenCalled();
});

it('asks the person first where the browser wants it', async () => {
  await openRemembered(folder(folderHandle('model', { before: 'prompt', after: 'granted' })));
  expect(checkpointStore.getState().source?.spec.label).toBe('model');
});

it('says so when the person or the browser refuses', async () => {
  await openRemembered(folder(folderHandle('model', { before: 'prompt', after: 'denied' })));
  const { source, refusal } = checkpointStore.getState();
  expect(source).toBeNull();
  expect(refusal).toMatchObject({ family: 'source', code: 'not-permitted', details: { folder: 'model' } });
});

it('says so when the folder is gone', async () => {
  await openRemembered(folder(folderHandle('model', { failure: new DOMException('gone', 'NotFoundError') })));
  expect(checkpointStore.getState().refusal).toMatchObject({ code: 'folder-gone', details: { folder: 'model' } });
});

it('looks a repository up where it was found, without a token', async () => {
  await openRemembered({ kind: 'hub', label: 'org/name@v2', time: 1, endpoint: 'https://mirror.example' });
  expect(hubStore.getState().request).toEqual({
    name: 'org/name@v2',
    endpoint: 'https://mirror.example',
    submit: true,
  });
  expect(checkpointStore.getState().source).toBeNull();
});

it('opens the same source again, as another visit to it, with its files as they are then', async () => {
  const files = [new File(['{}'], 'config.json', { lastModified: 7 })];
  await openRemembered(folder(folderHandle('model', { files })));
  const first = checkpointStore.getState().source;
  files[0] = new File(['{ }'], 'config.json', { lastModified: 8 });
  await openAgain();
  const second = checkpointStore.getState().source;
  expect(second?.spec).toEqual({ ...first?.spec, chosen: [{ name: 'config.json', size: 3, lastModified: 8 }] });
  expect(second?.id).not.toBe(first?.id);
});

it('looks a repository up again, with the token that it was opened by', async () => {
  const hub = { kind: 'model', repo: 'org/name', commit: 'a'.repeat(40), endpoint: 'https://mirror.example' } as const;
  changeSource({ kind: 'hub', label: 'org/name@v2', hub: { ...hub, token: 'hf_secret' }, files: [] });
  await openAgain();
  const typed = { name: 'org/name@v2', endpoint: 'https://mirror.example', token: 'hf_secret' };
  expect(openRepo).toHaveBeenCalledWith(typed, expect.any(AbortSignal));
});

it('says why a repository is not found again', async () => {
  const missing = new StudioError('source', 'not-found', 'No such repository.', { nextStep: 'Check its name.' });
  openRepo.mockRejectedValueOnce(missing);
  const hub = { kind: 'model', repo: 'org/name', commit: 'a'.repeat(40), endpoint: 'https://mirror.example' } as const;
  changeSource({ kind: 'hub', label: 'org/name', hub, files: [] });
  await openAgain();
  expect(checkpointStore.getState().refusal).toMatchObject({ code: 'not-found' });
});

it('opens nothing again while the model is at work', async () => {
  await openRemembered(folder(folderHandle('model')));
  const { source } = checkpointStore.getState();
  calibrationStore.setState({ status: 'running' });
  await openAgain();
  expect(checkpointStore.getState().source?.id).toBe(source?.id);
  expect(checkpointStore.getState().refusal).toMatchObject({ code: 'busy' });
});
