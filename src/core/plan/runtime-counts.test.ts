import { describe, expect, it } from 'vitest';
import { friendlyNeighbours, runtimeFriendlyCounts } from './runtime-counts.ts';
import { groupedLayer, moeLayer, select } from './selection.fixture.ts';

describe('counts that inference kernels know', () => {
  it('lie between what the router needs and E', () => {
    expect(runtimeFriendlyCounts(moeLayer(0, 128, 8))).toEqual([8, 16, 32, 64, 128]);
    expect(runtimeFriendlyCounts(moeLayer(0, 160, 6))).toEqual([8, 16, 32, 64, 128]);
    // Twelve groups divide 192, 384 and 576 alone of the known counts.
    expect(runtimeFriendlyCounts(groupedLayer(0, 384, { count: 12, chosen: 4, least: 2 }, 8))).toEqual([192, 384]);
  });

  it('are named next to a count that is not among them', () => {
    expect(friendlyNeighbours(moeLayer(0, 256, 8), 200)).toEqual([192, 256]);
    expect(friendlyNeighbours(moeLayer(0, 160, 6), 144)).toEqual([128]);
    expect(friendlyNeighbours(moeLayer(0, 256, 8), 192)).toEqual([]);
  });

  it('are advised in a plan of a large model that keeps another number', () => {
    const codes = (experts: number, expertsToKeep: number) => {
      const rows = new Map([[0, Array.from({ length: experts }, (_, expert) => expert)]]);
      return select(rows, { expertsToKeep }).warnings;
    };
    expect(codes(256, 200)).toEqual([{ code: 'unusual-count', message: expect.stringContaining('192 or 256') }]);
    expect(codes(256, 192)).toEqual([]);
    expect(codes(160, 160)).toEqual([]);
    expect(codes(32, 24)).toEqual([]);
  });
});
