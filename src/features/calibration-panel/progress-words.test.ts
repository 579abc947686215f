import { expect, it } from 'vitest';
import type { CalibrationState, CalibrationStatus } from '../../stores/calibration-store.ts';
import { paceWords, statusWords } from './progress-words.ts';

const state = (status: CalibrationStatus): CalibrationState => ({
  status,
  backend: null,
  progress: { phase: 'experts', layer: 2, layers: 8, fraction: 0.3, tokenLayersPerSecond: 8000, etaSeconds: 65 },
  resumedLayers: 0,
  statistics: null,
  statisticsHash: null,
  notes: [],
  error: null,
});

it('counts layers from one and names the phase', () => {
  expect(statusWords(state('running'))).toBe('Layer 3 of 8, experts');
  expect(statusWords(state('paused'))).toBe('Paused in layer 3 of 8');
});

it('gives the rate through the whole model and the time left, only while running', () => {
  expect(paceWords(state('running'))).toBe('1,000 tokens/s, 1 min 5 s left');
  expect(paceWords(state('paused'))).toBe('');
});
