import { beforeEach, expect, it } from 'vitest';
import type { Transfer } from '../core/protocol/export-protocol.ts';
import { calibrationStore, clearCalibration } from './calibration-store.ts';
import { chooseSource } from './checkpoint-store.ts';
import { transferredBytes, transferStore } from './checkpoint-transfer.ts';
import { exportStore, IDLE_EXPORT } from './export-store.ts';

const PROGRESS = {
  phase: 'experts',
  layer: 0,
  layers: 2,
  fraction: 0.5,
  tokenLayersPerSecond: 1,
  etaSeconds: null,
} as const;
const WRITING = { phase: 'writing', file: 'model.safetensors', bytesDone: 0, bytesTotal: 1 } as const;

const calibrate = (transfer: Transfer) => {
  const progress = { ...PROGRESS, transfer };
  calibrationStore.setState({ status: 'running', progress });
};
const write = (transfer: Transfer) => exportStore.setState({ status: 'running', progress: { ...WRITING, transfer } });
const readout = () => [transferredBytes(transferStore.getState()), transferStore.getState().bytesPerSecond];

beforeEach(() => {
  clearCalibration();
  exportStore.setState(IDLE_EXPORT, true);
  chooseSource({ kind: 'files', label: 'model', files: [] });
});

it('adds up what the runs of one checkpoint read', () => {
  expect(readout()).toEqual([0, 0]);
  calibrate({ bytes: 100, bytesPerSecond: 10 });
  calibrate({ bytes: 150, bytesPerSecond: 20 });
  expect(readout()).toEqual([150, 20]);
  calibrationStore.setState({ status: 'done' });
  write({ bytes: 50, bytesPerSecond: 5 });
  expect(readout()).toEqual([200, 5]);
});

it('counts on when a run is started anew', () => {
  calibrate({ bytes: 100, bytesPerSecond: 10 });
  clearCalibration();
  calibrate({ bytes: 30, bytesPerSecond: 3 });
  expect(readout()).toEqual([130, 3]);
});

it('shows no speed once no run is under way', () => {
  calibrate({ bytes: 100, bytesPerSecond: 10 });
  calibrationStore.setState({ status: 'cancelled' });
  expect(readout()).toEqual([100, 0]);
});

it('starts at nothing with another checkpoint', () => {
  calibrate({ bytes: 100, bytesPerSecond: 10 });
  clearCalibration();
  chooseSource({ kind: 'files', label: 'other', files: [] });
  expect(readout()).toEqual([0, 0]);
});
