import { beforeEach, expect, it } from 'vitest';
import type { WireError } from '../core/base/errors.ts';
import type { ExportRequest } from '../core/protocol/export-protocol.ts';
import { folderHandle } from './directory-handle.fixture.ts';
import { exportStore, IDLE_EXPORT, noteEndedEarly, noteExportProgress } from './export-store.ts';

const folder = folderHandle('pruned');
const source = { kind: 'files', label: 'model', files: [] } as const;
const request: ExportRequest = { source, planJson: '{}', destination: { kind: 'directory', handle: folder } };
const writing = (file: string, bytesDone: number) => ({ phase: 'writing', file, bytesDone, bytesTotal: 100 }) as const;
const refusal = (family: WireError['family'], code: string): WireError => ({
  family,
  code,
  message: 'It failed.',
  nextStep: 'None.',
  details: {},
});

beforeEach(() => exportStore.setState(IDLE_EXPORT, true));

it('counts a file as kept once the next one begins', () => {
  for (const [file, bytes] of [
    ['a', 10],
    ['a', 40],
    ['b', 50],
    ['b', 60],
  ] as const)
    noteExportProgress(writing(file, bytes));
  noteEndedEarly(request, refusal('export', 'disk-full'));
  expect(exportStore.getState()).toMatchObject({
    status: 'failed',
    progress: null,
    unfinished: { request, folder, bytesKept: 40, bytesTotal: 100 },
  });
});

it('does not count what is read or packed again as written', () => {
  noteExportProgress({ ...writing('a', 90), phase: 'verifying' });
  noteExportProgress({ ...writing('model.zip', 5), phase: 'packing' });
  expect(exportStore.getState().bytesKept).toBe(0);
});

it('can go on after a cancel, and before anything was written', () => {
  noteEndedEarly(request, null);
  expect(exportStore.getState()).toMatchObject({ status: 'cancelled', error: null, unfinished: { bytesTotal: 0 } });
  noteEndedEarly(request, refusal('export', 'export-running'));
  expect(exportStore.getState().unfinished).not.toBeNull();
});

it.each([
  ['export', 'target-not-empty'],
  ['export', 'foreign-journal'],
  ['source', 'changed'],
  ['plan', 'uneven-layers'],
] as const)('does not offer what %s/%s would refuse again', (family, code) => {
  if (family !== 'plan') noteExportProgress(writing('a', 10));
  noteEndedEarly(request, refusal(family, code));
  expect(exportStore.getState()).toMatchObject({ status: 'failed', unfinished: null });
});

it('goes on after a connection that broke in the middle, but not with a zip', () => {
  noteExportProgress(writing('a', 10));
  noteEndedEarly(request, refusal('source', 'unreachable'));
  expect(exportStore.getState().unfinished).not.toBeNull();
  noteEndedEarly({ ...request, destination: { kind: 'zip', name: 'model' } }, refusal('export', 'disk-full'));
  expect(exportStore.getState().unfinished).toBeNull();
});
