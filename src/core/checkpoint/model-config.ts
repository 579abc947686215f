import type { Architecture, ConfigKey, Json, ReadonlyJsonObject } from '../architectures/descriptor.ts';
import { StudioError } from '../base/errors.ts';

/** config.json read through an architecture's key table: the numbers a forward pass needs, checked. */
export interface ModelConfig {
  readonly modelType: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  readonly normEpsilon: number;
  /** Routed experts E of a layer, experts K chosen per token, inner width I of an expert. */
  readonly experts: number;
  readonly topK: number;
  readonly expertWidth: number;
  readonly denseWidth: number;
  readonly tiedEmbeddings: boolean;
  readonly attention: {
    readonly heads: number;
    readonly keyValueHeads: number;
    readonly headDim: number;
    readonly bias: boolean;
    /** How rotary positions are scaled: `default` is not at all; other kinds open and export, but are not computed. */
    readonly rope: string;
    readonly ropeTheta: number;
    /** undefined: every position sees all before it. */
    readonly slidingWindow: number | undefined;
  };
  readonly router: {
    /** Gates of the chosen experts are divided by their sum. */
    readonly renormalise: boolean;
  };
}

function refuse(code: string, message: string, nextStep: string, key?: string): StudioError {
  return new StudioError('checkpoint', code, message, { nextStep, details: { file: 'config.json', key: key ?? null } });
}

/** Every spelling of `key` that config.json carries, with its value. */
export function presentSpellings(json: ReadonlyJsonObject, key: ConfigKey): readonly (readonly [string, Json])[] {
  return key.flatMap((name): (readonly [string, Json])[] => {
    const value = Object.hasOwn(json, name) ? json[name] : undefined;
    return value === undefined || value === null ? [] : [[name, value]];
  });
}

function numberAt(json: ReadonlyJsonObject, key: ConfigKey): number | undefined {
  const found = presentSpellings(json, key);
  const values = new Set(found.map(([, value]) => value));
  const [first] = found;
  if (first === undefined) return undefined;
  if (values.size > 1) {
    const text = found.map(([name, value]) => `${name} = ${String(value)}`).join(', ');
    throw refuse(
      'conflicting-config',
      `config.json contradicts itself: ${text}.`,
      'Correct config.json so that both keys agree.',
      first[0],
    );
  }
  if (typeof first[1] !== 'number' || !Number.isFinite(first[1]) || first[1] < 0) {
    throw refuse(
      'bad-config',
      `config.json has no usable number under "${first[0]}".`,
      'Compare config.json with the original repository.',
      first[0],
    );
  }
  return first[1];
}

function integerAt(json: ReadonlyJsonObject, key: ConfigKey, fallback?: number): number {
  const value = numberAt(json, key) ?? fallback;
  if (value === undefined || !Number.isSafeInteger(value) || value < 1) {
    throw refuse(
      'bad-config',
      `config.json has no positive whole number under "${key.join('" or "')}".`,
      'Compare config.json with the original repository.',
      key[0],
    );
  }
  return value;
}

function booleanAt(json: ReadonlyJsonObject, key: ConfigKey, fallback: boolean): boolean {
  const [first] = presentSpellings(json, key);
  return first === undefined ? fallback : first[1] === true;
}

function isObject(value: Json | undefined): value is ReadonlyJsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RoPE's kind and base: `rope_parameters` (transformers 5), or `rope_scaling` and the family's own key (transformers 4). */
function readRope(
  json: ReadonlyJsonObject,
  spec: Architecture['attention']['ropeTheta'],
): { rope: string; ropeTheta: number } {
  const nested = isObject(json['rope_parameters']) ? json['rope_parameters'] : undefined;
  const scaling = isObject(json['rope_scaling']) ? json['rope_scaling'] : nested;
  return {
    rope: String(scaling?.['rope_type'] ?? scaling?.['type'] ?? 'default'),
    ropeTheta: numberAt(nested ?? json, spec.key) ?? numberAt(json, spec.key) ?? spec.fallback,
  };
}

/**
 * Reads the numbers of config.json that `architecture` names.
 * @throws StudioError family `checkpoint`: `bad-config`, `conflicting-config`, `unsupported-activation`.
 */
export function readModelConfig(json: ReadonlyJsonObject, architecture: Architecture): ModelConfig {
  const { config: keys, attention } = architecture;
  const activation = json.hidden_act ?? 'silu';
  if (activation !== 'silu') {
    throw refuse(
      'unsupported-activation',
      `The experts use the activation "${String(activation)}", which ${architecture.label} models do not.`,
      'Check that config.json belongs to these weights.',
      'hidden_act',
    );
  }
  const hiddenSize = integerAt(json, keys.hiddenSize);
  const heads = integerAt(json, attention.heads);
  const experts = integerAt(json, keys.experts);
  const topK = integerAt(json, keys.topK);
  const keyValueHeads = integerAt(json, attention.keyValueHeads, heads);
  const headDim = integerAt(json, attention.headDim, hiddenSize / heads);
  if (heads % keyValueHeads !== 0 || headDim % 2 !== 0) {
    throw refuse(
      'bad-config',
      `config.json has ${heads} heads of ${headDim} over ${keyValueHeads} key heads, which cannot be.`,
      'Compare config.json with the original repository.',
      attention.heads[0],
    );
  }
  if (topK > experts) {
    throw refuse(
      'bad-config',
      `config.json routes each token to ${topK} of ${experts} experts.`,
      'Compare config.json with the original repository.',
      keys.topK[0],
    );
  }
  return {
    modelType: String(json.model_type),
    layers: integerAt(json, keys.layers),
    hiddenSize,
    vocabularySize: integerAt(json, keys.vocabularySize),
    maxPositions: integerAt(json, keys.maxPositions),
    normEpsilon: numberAt(json, keys.normEpsilon) ?? 1e-6,
    experts,
    topK,
    expertWidth: integerAt(json, keys.expertWidth),
    denseWidth: integerAt(json, keys.denseWidth, integerAt(json, keys.expertWidth)),
    tiedEmbeddings: booleanAt(json, ['tie_word_embeddings'], false),
    attention: {
      heads,
      keyValueHeads,
      headDim,
      bias: booleanAt(json, attention.bias, false),
      ...readRope(json, attention.ropeTheta),
      slidingWindow: booleanAt(json, attention.slidingWindow.enabled, false)
        ? numberAt(json, attention.slidingWindow.size)
        : undefined,
    },
    router: {
      renormalise: booleanAt(json, architecture.router.renormalise.key, architecture.router.renormalise.fallback),
    },
  };
}
