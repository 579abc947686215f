import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMeasure,
  formatPercent,
  formatWhole,
} from './number-format.ts';

describe('number formats', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [23_430_144, '23.4 MB'],
    [999_900, '1.00 MB'],
    [232_000_000_000, '232 GB'],
  ])('writes %d bytes as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [32, '32'],
    [9_999, '9,999'],
    [14_750_464, '14.8 M'],
    [30_532_122_624, '30.5 B'],
  ])('writes the count %d as %s', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [0.2, '1 s'],
    [59.4, '1 min 0 s'],
    [125, '2 min 5 s'],
    [4320, '1 h 12 min'],
  ])('writes %d seconds as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    [0, '0'],
    [0.48213, '0.4821'],
    [0.0000123, '1.23 e-5'],
    [12345.6, '12,346'],
  ])('writes the measure %d as %s', (value, text) => expect(formatMeasure(value)).toBe(text));

  it('writes shares and whole numbers', () => {
    expect(formatPercent(0.25)).toBe('25 %');
    expect(formatPercent(0.93124, 1)).toBe('93.1 %');
    expect(formatWhole(32_768)).toBe('32,768');
  });
});
