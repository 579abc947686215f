import { describe, expect, it } from 'vitest';
import { ABSENT, DROPPED, SPARSE, UNMEASURED } from './heatmap-cells.ts';
import { colourTable, type HeatmapTheme, saliencyColour, word } from './heatmap-colours.ts';
import { type HeatmapModel, paintPixels } from './heatmap-pixels.ts';

const theme: HeatmapTheme = { surface: [255, 255, 255], empty: [200, 200, 200], ink: [10, 10, 10] };

function paint(cells: number[], columns: number, width: number, height: number): Uint32Array {
  const model: HeatmapModel = {
    geometry: { rows: cells.length / columns, columns, width, height },
    cells: Uint16Array.from(cells),
    table: colourTable(theme),
    theme,
  };
  const pixels = new Uint32Array(width * height).fill(0x12345678);
  paintPixels(pixels, model);
  return pixels;
}

describe('heatmap pixels', () => {
  it('fills every pixel of a cell with its colour, and every pixel of the map', () => {
    const pixels = paint([0, 255, UNMEASURED, ABSENT], 2, 4, 6);
    const row = (y: number) => [...pixels.slice(y * 4, y * 4 + 4)];
    const low = word(saliencyColour(0));
    const high = word(saliencyColour(255));
    for (const y of [0, 1, 2]) expect(row(y)).toEqual([low, low, high, high]);
    for (const y of [3, 4, 5]) expect(row(y)).toEqual([word(theme.empty), word(theme.empty), 0, 0]);
  });

  it('strikes a dropped cell through from corner to corner', () => {
    const pixels = paint([90 | DROPPED], 1, 3, 3);
    const ink = word(theme.ink);
    expect([...pixels].map((pixel) => pixel === ink)).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  it('dots a sparse cell, dark on light and light on dark', () => {
    expect(paint([255 | SPARSE], 1, 3, 3)[4]).toBe(word([0, 0, 0]));
    expect(paint([0 | SPARSE], 1, 3, 3)[4]).toBe(word([255, 255, 255]));
  });
});
