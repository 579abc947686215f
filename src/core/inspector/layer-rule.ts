import type { ConfigKey, LayerRule } from '../architectures/settings.ts';
import type { ConfigFacts } from './config-facts.ts';
import { LAYER_KEYS, MIXER_STEPS } from './key-vocabulary.ts';
import type { Confidence, Evidence } from './proposal.ts';

export interface RuleFound {
  readonly rule: LayerRule;
  readonly confidence: Confidence;
  readonly evidence: readonly Evidence[];
}

/** `0, 1, 2, 5` → "0–2, 5". */
export function layerRanges(layers: Iterable<number>): string {
  const spans: [number, number][] = [];
  for (const layer of [...layers].sort((a, b) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && last[1] === layer - 1) last[1] = layer;
    else spans.push([layer, layer]);
  }
  return spans.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
}

function one(name: string): ConfigKey {
  return [name];
}

/** The names of the layers' kinds that belong to `wanted` alone, from a list or text of config.json. */
function typeRules(config: ConfigFacts, wanted: ReadonlySet<number>, layers: number): LayerRule[] {
  return config.kindsByLayer(layers).flatMap(({ name, kinds }) => {
    const inside = new Set(kinds.filter((_, layer) => wanted.has(layer)));
    const outside = new Set(kinds.filter((_, layer) => !wanted.has(layer)));
    if (inside.size === 0 || [...inside].some((value) => outside.has(value))) return [];
    return [{ types: { key: one(name), values: [...inside] } }];
  });
}

/** The rule that all keys of the vocabulary in config.json make together. */
function vocabularyRule(config: ConfigFacts): { readonly rule: LayerRule; readonly names: readonly string[] } {
  const named = (names: readonly string[]): string | undefined =>
    names.find((name) => config.value(name) !== undefined);
  const from = named(LAYER_KEYS.from);
  const to = named(LAYER_KEYS.to);
  const except = named(LAYER_KEYS.except);
  const only = named(LAYER_KEYS.only);
  const every = LAYER_KEYS.every.find(([name]) => config.number(name) !== undefined);
  const rule: LayerRule = {
    ...(from === undefined ? {} : { from: one(from) }),
    ...(to === undefined ? {} : { to: one(to) }),
    ...(every === undefined ? {} : { every: { step: one(every[0]), offset: every[1] } }),
    ...(except === undefined ? {} : { except: one(except) }),
    ...(only === undefined ? {} : { only: one(only) }),
  };
  return { rule, names: [from, to, every?.[0], except, only].filter((name) => name !== undefined) };
}

function holdsExactly(config: ConfigFacts, rule: LayerRule, wanted: ReadonlySet<number>, layers: number): boolean {
  for (let layer = 0; layer < layers; layer++) {
    if (config.reader.holds(rule, layer, layers) !== wanted.has(layer)) return false;
  }
  return true;
}

/** Single conditions over keys that no vocabulary knows. */
function unknownKeyRules(config: ConfigFacts, wanted: ReadonlySet<number>, layers: number): LayerRule[] {
  const first = Math.min(...wanted);
  return config.integers().flatMap(({ name, value }): LayerRule[] => {
    if (!/layer|dense|moe|sparse|expert/.test(name) || value > layers) return [];
    const rules: LayerRule[] = [{ from: one(name) }];
    if (value > 0) rules.push({ every: { step: one(name), offset: 0 } }, { every: { step: one(name), offset: 1 } });
    return value === first || value > 1 ? rules : [];
  });
}

/**
 * The rule over config.json's keys that gives exactly the MoE layers that the tensors show.
 * Keys with a known meaning come first, then lists of kinds, then whatever key happens to fit (uncertain).
 */
export function moeLayerRule(config: ConfigFacts, wanted: ReadonlySet<number>, layers: number): RuleFound {
  const seen: Evidence = { kind: 'tensor', text: `experts lie in the layers ${layerRanges(wanted)} of ${layers}` };
  const { rule, names } = vocabularyRule(config);
  const said = names.map((name) => config.evidence(name));
  if (holdsExactly(config, rule, wanted, layers)) {
    if (names.length > 0 || wanted.size === layers) return { rule, confidence: 'certain', evidence: [seen, ...said] };
  }
  const [typed] = typeRules(config, wanted, layers);
  if (typed?.types !== undefined) {
    return { rule: typed, confidence: 'certain', evidence: [seen, config.evidence(typed.types.key[0])] };
  }
  const fits = unknownKeyRules(config, wanted, layers).filter((one) => holdsExactly(config, one, wanted, layers));
  const [fit] = fits;
  if (fit !== undefined) {
    const key = (fit.from ?? fit.every?.step ?? [''])[0];
    return { rule: fit, confidence: 'uncertain', evidence: [seen, config.evidence(key)] };
  }
  const none: Evidence = { kind: 'rule', text: 'no key of config.json gives these layers' };
  return { rule, confidence: 'uncertain', evidence: [seen, ...said, none] };
}

/** The rule for the layers of one kind of mixer, or undefined when config.json has none. */
export function mixerLayerRule(
  config: ConfigFacts,
  wanted: ReadonlySet<number>,
  layers: number,
): RuleFound | undefined {
  const seen: Evidence = { kind: 'tensor', text: `layers ${layerRanges(wanted)} of ${layers}` };
  if (wanted.size === layers) return { rule: {}, confidence: 'certain', evidence: [seen] };
  const [typed] = typeRules(config, wanted, layers);
  if (typed?.types !== undefined) {
    return { rule: typed, confidence: 'certain', evidence: [seen, config.evidence(typed.types.key[0])] };
  }
  for (const name of MIXER_STEPS) {
    const rule: LayerRule = { every: { step: one(name), offset: 1 } };
    if (config.number(name) !== undefined && holdsExactly(config, rule, wanted, layers)) {
      return { rule, confidence: 'certain', evidence: [seen, config.evidence(name)] };
    }
  }
  for (const name of config.numberLists()) {
    if (holdsExactly(config, { only: one(name) }, wanted, layers)) {
      return { rule: { only: one(name) }, confidence: 'likely', evidence: [seen, config.evidence(name)] };
    }
  }
  return undefined;
}
