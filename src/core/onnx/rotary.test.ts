import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ReadonlyJsonObject } from '../base/json.ts';
import { ConfigReader } from '../checkpoint/config-reader.ts';
import { type Rotary, readRotary } from '../checkpoint/rope-config.ts';
import { isLong, rotaryTables } from './rotary.ts';

interface RopeCase {
  readonly name: string;
  readonly length: number;
  readonly rope: ReadonlyJsonObject;
  readonly head_dim: number;
  readonly max_positions: number;
  readonly inverse_frequencies: readonly number[];
  readonly attention_factor: number;
}

const CASES: RopeCase[] = JSON.parse(readFileSync(new URL('./fixtures/rope.json', import.meta.url), 'utf8'));

const SPEC = {
  theta: { key: ['rope_theta'], fallback: 10_000 },
  part: { fraction: { key: ['partial_rotary_factor'], fallback: 1 }, dimensions: null },
  style: 'halves',
  without: null,
} as const;

/** The scaling as transformers 5 spells it, and as transformers 4 did. */
function rotaryOf({ rope, head_dim, max_positions }: RopeCase, spelling: 4 | 5): Rotary {
  const { rope_theta, rope_type, ...scaling } = rope;
  const config =
    spelling === 5
      ? { rope_parameters: rope }
      : { rope_theta: rope_theta ?? null, rope_scaling: { type: rope_type ?? null, ...scaling } };
  return readRotary(ConfigReader.of(config, null), SPEC, head_dim, max_positions);
}

describe('rotary scalings against transformers', () => {
  it.each(CASES.map((entry) => [`${entry.name}, ${entry.length} tokens`, entry] as const))('%s', (_, entry) => {
    for (const spelling of [4, 5] as const) {
      const rotary = rotaryOf(entry, spelling);
      const { cos, sin } = rotaryTables(rotary, 3, isLong(rotary, entry.length));
      const half = entry.inverse_frequencies.length;
      for (const [i, frequency] of entry.inverse_frequencies.entries()) {
        const angle = Math.fround(2 * Math.fround(frequency));
        expect(cos[2 * half + i], `cos ${i}`).toBeCloseTo(Math.cos(angle) * entry.attention_factor, 6);
        expect(sin[2 * half + i], `sin ${i}`).toBeCloseTo(Math.sin(angle) * entry.attention_factor, 6);
      }
    }
  });

  it('turns only the front of each head where config.json says so', () => {
    const reader = (json: ReadonlyJsonObject): ConfigReader => ConfigReader.of(json, null);
    const spec = { ...SPEC, part: { ...SPEC.part, dimensions: ['rotary_dim'] as const } };
    expect(readRotary(reader({ rotary_dim: 64 }), spec, 128, 512).dimensions).toBe(64);
    const nested = { partial_rotary_factor: 1, rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.25 } };
    expect(readRotary(reader(nested), spec, 128, 512).dimensions).toBe(32);
  });

  it.each([512, 63, 0, 4e9])('refuses that %i of 128 dimensions rotate', (rotary_dim) => {
    const spec = { ...SPEC, part: { ...SPEC.part, dimensions: ['rotary_dim'] as const } };
    expect(() => readRotary(ConfigReader.of({ rotary_dim }, null), spec, 128, 512)).toThrow(
      expect.objectContaining({ code: 'bad-config' }),
    );
  });

  it('multiplies the base where Hunyuan says by how much', () => {
    const json = { rope_theta: 10_000, rope_scaling: { type: 'dynamic', alpha: 1000, factor: 1 } };
    const { theta, scaling } = readRotary(ConfigReader.of(json, null), SPEC, 128, 512);
    expect(scaling.kind).toBe('default');
    expect(theta).toBeCloseTo(10_000 * 1000 ** (128 / 126), 3);
  });
});
