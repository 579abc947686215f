import { describe, expect, it } from 'vitest';
import { colourTable, type HeatmapTheme, mix, parseRgb, type Rgb, saliencyColour, word } from './heatmap-colours.ts';

const light: HeatmapTheme = { surface: [255, 254, 251], empty: [237, 235, 227], ink: [26, 29, 35] };
const dark: HeatmapTheme = { surface: [22, 26, 32], empty: [11, 13, 16], ink: [235, 233, 226] };

const luminance = (colour: Rgb): number => {
  const [red = 0, green = 0, blue = 0] = colour.map((byte) => {
    const share = byte / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const contrast = (a: Rgb, b: Rgb): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
};

describe('heatmap colours', () => {
  it('grows lighter with every step, so that it reads without colour', () => {
    let before = -1;
    for (let level = 0; level < 256; level += 5) {
      const now = luminance(saliencyColour(level));
      expect(now).toBeGreaterThan(before);
      before = now;
    }
  });

  it.each([
    ['light', light],
    ['dark', dark],
  ])('strikes dropped cells out with at least 3:1 in the %s theme', (_name, theme) => {
    for (let level = 0; level < 256; level++) {
      expect(contrast(theme.ink, mix(saliencyColour(level), theme.surface, 0.78))).toBeGreaterThan(3);
    }
  });

  it('holds kept colours first and faded ones after', () => {
    const table = colourTable(light);
    expect(table[200]).toBe(word(saliencyColour(200)));
    expect(table[456]).toBe(word(mix(saliencyColour(200), light.surface, 0.78)));
  });

  it('reads what browsers write', () => {
    expect(parseRgb('rgb(1, 2, 3)')).toEqual([1, 2, 3]);
    expect(parseRgb('rgba(1, 2, 3, 0.5)')).toEqual([1, 2, 3]);
    expect(parseRgb('#ff8000')).toEqual([255, 128, 0]);
    expect(parseRgb('transparent')).toBeNull();
    expect(word([1, 2, 3])).toBe(0xff030201);
  });
});
