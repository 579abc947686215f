import type { RotarySpec } from '../architectures/mixers.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import { type ConfigReader, refuseConfig } from './config-reader.ts';

/** How rotary frequencies are changed for long contexts; formulas in onnx/rotary.ts. */
export type RopeScaling =
  | { readonly kind: 'default' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalPositions: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      /** Factor of cos and sin. */
      readonly attentionFactor: number;
    }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly originalPositions: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
    }
  | {
      readonly kind: 'longrope';
      readonly originalPositions: number;
      readonly shortFactors: readonly number[];
      readonly longFactors: readonly number[];
      readonly shortAttentionFactor: number;
      readonly longAttentionFactor: number;
    }
  /** Opens and exports, but cannot be computed. */
  | { readonly kind: 'unknown'; readonly name: string };

/** Rotary embedding of a layer, resolved. */
export interface Rotary {
  /** Leading dimensions of each head that turn. */
  readonly dimensions: number;
  readonly style: 'halves' | 'interleaved';
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** YaRN's temperature, 0.1·m·ln(s) + 1 (arXiv 2309.00071, eq. 22). */
export function yarnScale(factor: number, m = 1): number {
  return factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1;
}

/** `rope_parameters` (transformers 5), or `rope_scaling` (transformers 4). */
export function ropeObject(config: ConfigReader): ReadonlyJsonObject {
  return config.object(['rope_parameters']) ?? config.object(['rope_scaling']) ?? {};
}

function numbers(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'number') : [];
}

function readScaling(
  config: ConfigReader,
  maxPositions: number,
): { scaling: RopeScaling; thetaFactor: number | undefined } {
  const rope = ropeObject(config);
  const at = (name: string): number | undefined => {
    const value = rope[name];
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const kind = String(rope['rope_type'] ?? rope['type'] ?? 'default');
  const original =
    at('original_max_position_embeddings') ?? config.number(['original_max_position_embeddings']) ?? maxPositions;
  const factor = at('factor') ?? maxPositions / original;
  switch (kind) {
    case 'default':
    case 'mrope':
      return { scaling: { kind: 'default' }, thetaFactor: undefined };
    case 'dynamic':
      // Within max_position_embeddings, beyond which no sequence goes, dynamic NTK changes nothing but Hunyuan's alpha.
      return { scaling: { kind: 'default' }, thetaFactor: at('alpha') };
    case 'linear':
      return { scaling: { kind: 'linear', factor }, thetaFactor: undefined };
    case 'yarn': {
      const mscale = at('mscale');
      const all = at('mscale_all_dim');
      const attentionFactor =
        at('attention_factor') ??
        (mscale && all ? yarnScale(factor, mscale) / yarnScale(factor, all) : yarnScale(factor));
      return {
        scaling: {
          kind,
          factor,
          originalPositions: original,
          betaFast: at('beta_fast') || 32,
          betaSlow: at('beta_slow') || 1,
          truncate: rope['truncate'] !== false,
          attentionFactor,
        },
        thetaFactor: undefined,
      };
    }
    case 'llama3':
      return {
        scaling: {
          kind,
          factor,
          originalPositions: original,
          lowFrequencyFactor: at('low_freq_factor') ?? 1,
          highFrequencyFactor: at('high_freq_factor') ?? 4,
        },
        thetaFactor: undefined,
      };
    case 'longrope':
    case 'su': {
      const standard =
        at('attention_factor') ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original)));
      return {
        scaling: {
          kind: 'longrope',
          originalPositions: original,
          shortFactors: numbers(rope['short_factor']),
          longFactors: numbers(rope['long_factor']),
          shortAttentionFactor: at('short_mscale') ?? standard,
          longAttentionFactor: at('long_mscale') ?? standard,
        },
        thetaFactor: undefined,
      };
    }
    default:
      return { scaling: { kind: 'unknown', name: kind }, thetaFactor: undefined };
  }
}

/** Reads the rotary embedding of heads of `headDim` dimensions. */
export function readRotary(config: ConfigReader, spec: RotarySpec, headDim: number, maxPositions: number): Rotary {
  const nested = config.within(ropeObject(config));
  const { scaling, thetaFactor } = readScaling(config, maxPositions);
  const theta = nested.setting(spec.theta);
  const { fraction, dimensions } = spec.part;
  const counted = dimensions === null ? undefined : nested.number(dimensions);
  const turning = counted ?? Math.floor(headDim * nested.setting(fraction));
  if (turning % 2 !== 0 || turning < 2 || turning > headDim) {
    throw refuseConfig(
      'bad-config',
      `config.json lets ${turning} of the ${headDim} dimensions of a head rotate, which cannot be.`,
      'Compare config.json with the original repository.',
      dimensions?.[0] ?? fraction.key?.[0],
    );
  }
  return {
    dimensions: turning,
    style: spec.style,
    theta: thetaFactor === undefined ? theta : theta * thetaFactor ** (headDim / (headDim - 2)),
    scaling,
  };
}

/** Whether a layer's attention knows positions. */
export function rotates(config: ConfigReader, spec: RotarySpec, layer: number): boolean {
  if (spec.without === null) return true;
  const listed = config.list(spec.without.key);
  if (listed !== undefined && listed.length > 0) return listed[layer] !== 0;
  const interval = config.setting(spec.without.interval);
  return interval === 0 || (layer + 1) % interval !== 0;
}
