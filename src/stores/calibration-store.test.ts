import { expect, it } from 'vitest';
import type { CalibrationEvent } from '../core/protocol/calibration-protocol.ts';
import { afterEvent, type CalibrationState } from './calibration-store.ts';
import { testLayer, testStatistics } from './checkpoint.fixture.ts';

const starting: CalibrationState = {
  status: 'starting',
  backend: null,
  progress: null,
  resumedLayers: 0,
  statistics: testStatistics(),
  statisticsHash: null,
  notes: [],
  error: null,
};

function play(start: CalibrationState, ...events: readonly CalibrationEvent[]): CalibrationState {
  let state = start;
  for (const event of events) state = { ...state, ...afterEvent(state, event) };
  return state;
}

const progress: CalibrationEvent = {
  type: 'progress',
  progress: { phase: 'experts', layer: 0, layers: 2, fraction: 0.1, tokenLayersPerSecond: 0, etaSeconds: null },
};

it('runs once the first progress arrives, and pauses and goes on as the worker says', () => {
  expect(play(starting, progress).status).toBe('running');
  expect(play(starting, progress, { type: 'paused' }).status).toBe('paused');
  expect(play(starting, progress, { type: 'paused' }, progress).status).toBe('paused');
  expect(play(starting, progress, { type: 'paused' }, { type: 'resumed' }).status).toBe('running');
});

it('puts layers in order and replaces one that comes twice', () => {
  const layer = (index: number, first: number): CalibrationEvent => ({
    type: 'layer',
    statistics: testLayer(index, [first, 1, 1, 1]),
  });
  const { statistics } = play(starting, layer(1, 5), layer(0, 6), layer(0, 7));
  expect(statistics?.layers.map((row) => [row.layer, row.domains[0]?.maxAbs[0]])).toEqual([
    [0, 7],
    [1, 5],
  ]);
});

it('keeps cancelling until the run has ended', () => {
  const cancelling = { ...starting, status: 'cancelling' } as const;
  expect(play(cancelling, { type: 'paused' }, { type: 'resumed' }, progress).status).toBe('cancelling');
  expect(play(cancelling, { type: 'cancelled' }).status).toBe('cancelled');
});

it('keeps a note once, however often it comes', () => {
  const note = { type: 'note', message: 'No storage.' } as const;
  expect(play(starting, note, note).notes).toEqual(['No storage.']);
});
