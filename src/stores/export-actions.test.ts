import { beforeEach, expect, it, vi } from 'vitest';
import type { ExportEvent, ExportRequest } from '../core/protocol/export-protocol.ts';
import { folderHandle } from './directory-handle.fixture.ts';
import { cancelExport, goOnExporting } from './export-actions.ts';
import { exportStore, IDLE_EXPORT, noteEndedEarly } from './export-store.ts';

const exported: ExportRequest[] = [];
const ending: { event: ExportEvent } = { event: { type: 'cancelled' } };

vi.mock('../client/export-client.ts', () => ({
  runExport: async (request: ExportRequest, onEvent: (event: ExportEvent) => void) => {
    exported.push(request);
    onEvent({ type: 'progress', progress: { phase: 'writing', file: 'a', bytesDone: 5, bytesTotal: 9 } });
    onEvent(ending.event);
  },
  cancelExportJob: () => undefined,
}));

// Node has no screen to keep awake.
vi.mock('../client/wake-lock.ts', () => ({ keepAwake: (work: () => Promise<void>) => work() }));

function endEarly(handle: FileSystemDirectoryHandle): ExportRequest {
  const source = { kind: 'files', label: 'model', files: [] } as const;
  const request = {
    source,
    planJson: '{"plan":1}',
    destination: { kind: 'directory', handle },
    shardBytes: 7,
  } as const;
  noteEndedEarly(request, null);
  return request;
}

beforeEach(() => {
  exported.length = 0;
  exportStore.setState(IDLE_EXPORT, true);
});

it('goes on with the very request that ended early, once the folder may be written to', async () => {
  const handle = folderHandle('pruned', { before: 'prompt', after: 'granted' });
  const request = endEarly(handle);
  ending.event = { type: 'done', files: 3, bytes: 9, zip: null };
  await goOnExporting();
  expect(exported).toEqual([request]);
  expect(exportStore.getState()).toMatchObject({
    status: 'done',
    result: { files: 3, folder: handle },
    unfinished: null,
  });
});

it('says that the folder may not be written to, and keeps the way on', async () => {
  endEarly(folderHandle('pruned', { before: 'prompt', after: 'denied' }));
  await goOnExporting();
  expect(exported).toEqual([]);
  const { error, unfinished, status } = exportStore.getState();
  expect([status, error?.code]).toEqual(['failed', 'permission-lost']);
  expect(unfinished).not.toBeNull();
});

it('starts once however often the button is pressed', async () => {
  endEarly(folderHandle('pruned'));
  ending.event = { type: 'done', files: 3, bytes: 9, zip: null };
  await Promise.all([goOnExporting(), goOnExporting()]);
  expect(exported).toHaveLength(1);
  expect(exportStore.getState().status).toBe('done');
});

it('does nothing where nothing is unfinished', async () => {
  await goOnExporting();
  await cancelExport();
  expect(exported).toEqual([]);
  expect(exportStore.getState()).toEqual(IDLE_EXPORT);
});
