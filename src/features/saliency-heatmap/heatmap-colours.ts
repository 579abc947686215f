import { interpolateViridis } from 'd3-scale-chromatic';

/** 0..255 each. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** What the map takes from the page's theme. */
export interface HeatmapTheme {
  /** Behind the cells: dropped cells fade towards it. */
  readonly surface: Rgb;
  /** Cells not measured yet. */
  readonly empty: Rgb;
  /** The stroke through dropped cells, and the frame of the active one. */
  readonly ink: Rgb;
}

/** Viridis: from dark violet to yellow, even in lightness, and told apart with any colour vision. */
export function saliencyColour(level: number): Rgb {
  return parseRgb(interpolateViridis(level / 255)) ?? [0, 0, 0];
}

/** How far a dropped cell fades into the surface. */
const FADE = 0.78;

export function mix([r1, g1, b1]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  const at = (from: number, to: number) => Math.round(from + (to - from) * share);
  return [at(r1, r2), at(g1, g2), at(b1, b2)];
}

/** 512 colours as little-endian RGBA words: 256 levels of kept cells, then the same faded for dropped ones. */
export function colourTable({ surface }: HeatmapTheme): Uint32Array {
  const table = new Uint32Array(512);
  for (let level = 0; level < 256; level++) {
    const colour = saliencyColour(level);
    table[level] = word(colour);
    table[256 + level] = word(mix(colour, surface, FADE));
  }
  return table;
}

/** An opaque colour as ImageData holds it on the little-endian machines that browsers run on. */
export function word([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Reads `rgb(1, 2, 3)`, `rgba(…)` and `#rrggbb`, which is what getComputedStyle and d3 give; null for anything else. */
export function parseRgb(text: string): Rgb | null {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (hex !== null) return [hexByte(hex[1]), hexByte(hex[2]), hexByte(hex[3])];
  const parts = /^rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)/.exec(text);
  return parts === null ? null : [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

export function cssColour([red, green, blue]: Rgb, alpha = 1): string {
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

function hexByte(digits: string | undefined): number {
  return Number.parseInt(digits ?? '0', 16);
}
