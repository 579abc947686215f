import type { ConfigKeys } from '../architectures/descriptor.ts';
import type { ConfigKey } from '../architectures/settings.ts';
import { type ConfigFacts, keyOf } from './config-facts.ts';
import type { ExpertsFound } from './find-experts.ts';
import type { MlpsFound } from './find-mlps.ts';
import { widthKey } from './find-mlps.ts';
import { KEYS, type KeyTopic } from './key-vocabulary.ts';
import type { Notebook } from './notebook.ts';
import type { Evidence } from './proposal.ts';
import type { TensorModules } from './tensor-modules.ts';

export interface KeySite {
  readonly modules: TensorModules;
  readonly config: ConfigFacts;
  readonly notes: Notebook;
}

/** A topic's key, checked against the number that the tensors show. */
function shownKey(
  { config, notes }: KeySite,
  name: string,
  topic: KeyTopic,
  shown: number | undefined,
  seen: Evidence,
): ConfigKey {
  const field = `config.${name}`;
  const numbers = config.numbers(topic);
  const fits = numbers.filter(({ value }) => shown === undefined || value === shown).map((one) => one.name);
  const said = fits.map((one) => config.evidence(one));
  if (fits.length > 0 && shown === undefined) return notes.note(field, keyOf(fits, [KEYS[topic][0]]), 'certain', said);
  if (fits.length > 0) return notes.note(field, keyOf(fits, [KEYS[topic][0]]), 'certain', [seen, ...said]);
  const key = keyOf(
    numbers.map((one) => one.name),
    [KEYS[topic][0]],
  );
  const why: Evidence = {
    kind: 'rule',
    text: numbers.length > 0 ? 'the tensors show another number' : 'config.json has none of the spellings known for it',
  };
  return notes.note(field, key, 'uncertain', [seen, ...numbers.map((one) => config.evidence(one.name)), why]);
}

function expertsKey({ config, notes, modules }: KeySite, experts: ExpertsFound): ConfigKey {
  const field = 'config.experts';
  const seen: Evidence = {
    kind: 'tensor',
    text: `${modules.root}.#.${experts.container} holds ${experts.count} experts a layer`,
  };
  const named = config.numbers('experts').filter(({ value }) => value === experts.count);
  if (named.length > 0) {
    const names = named.map(({ name }) => name);
    return notes.note(field, keyOf(names, ['num_experts']), 'certain', [
      seen,
      ...names.map((name) => config.evidence(name)),
    ]);
  }
  const others = config.integers().filter(({ name, value }) => value === experts.count && /expert|moe/.test(name));
  const [other, ...more] = others;
  if (other !== undefined) {
    const alternatives = more.map(({ name }) => [name]);
    return notes.note(
      field,
      [other.name] as const,
      alternatives.length === 0 ? 'likely' : 'uncertain',
      [seen, config.evidence(other.name)],
      alternatives,
    );
  }
  const none: Evidence = { kind: 'rule', text: `no key of config.json holds ${experts.count}` };
  return notes.note(field, keyOf(config.present('experts'), ['num_experts']), 'uncertain', [seen, none]);
}

function topKKey({ config, notes }: KeySite, experts: ExpertsFound): ConfigKey {
  const field = 'config.topK';
  const fits = config.numbers('topK').filter(({ value }) => value >= 1 && value <= experts.count);
  const first = fits[0];
  if (first !== undefined) {
    const same = fits.filter(({ value }) => value === first.value).map(({ name }) => name);
    const bound: Evidence = { kind: 'tensor', text: `no more than the ${experts.count} experts` };
    return notes.note(field, keyOf(same, [first.name]), 'certain', [
      ...same.map((name) => config.evidence(name)),
      bound,
    ]);
  }
  const other = config
    .integers()
    .find(
      ({ name, value }) =>
        /top_?k|per_tok|active_exp|activated_exp/.test(name) &&
        !/group/.test(name) &&
        value >= 1 &&
        value <= experts.count,
    );
  if (other !== undefined) return notes.note(field, [other.name] as const, 'likely', config.evidence(other.name));
  const none: Evidence = { kind: 'rule', text: 'no key of config.json says how many experts a token takes' };
  return notes.note(field, keyOf(config.present('topK'), ['num_experts_per_tok']), 'uncertain', none);
}

/** The hidden size as the embedding shows it: the second size of the table under the vocabulary's name. */
export function hiddenSizeOf({ modules, config }: Pick<KeySite, 'modules' | 'config'>): number {
  const table = modules.groups.find(
    ({ rest, shape, path }) =>
      rest === undefined &&
      shape.length === 2 &&
      /(?:embed\w*|wte|tok_embeddings)$/.test(path) &&
      path.startsWith(modules.trunk),
  );
  return table?.shape[1] ?? config.numbers('hiddenSize')[0]?.value ?? 0;
}

/** The number of layers of the forward pass: config.json's, or what the tensors show where it has none. */
export function layerCountOf({ modules, config }: Pick<KeySite, 'modules' | 'config'>): number {
  const shown = modules.layerIndices().length;
  const stated = config.numbers('layers').find(({ value }) => value <= shown && value > 0)?.value;
  return stated ?? shown;
}

/** The key of the layers' number, or a list or text with an entry a layer where config.json has no such number. */
function layersKey(site: KeySite): ConfigKey {
  const { modules, config, notes } = site;
  const shown = modules.layerIndices().length;
  const seen: Evidence = { kind: 'tensor', text: `${modules.root} has ${shown} layers` };
  const [listed] = config.kindsByLayer(shown);
  if (config.numbers('layers').length === 0 && listed !== undefined) {
    return notes.note('config.layers', [listed.name] as const, 'certain', [seen, config.evidence(listed.name)]);
  }
  return shownKey(site, 'layers', 'layers', layerCountOf(site), seen);
}

/** The keys of the numbers that every family has, each checked against the tensors. */
export function findKeys(site: KeySite, experts: ExpertsFound, mlps: MlpsFound): ConfigKeys {
  const { modules, config } = site;
  const hidden = hiddenSizeOf(site);
  const table = modules.groups.find(
    ({ rest, shape }) => rest === undefined && shape.length === 2 && shape[1] === hidden,
  );
  const size: Evidence = { kind: 'tensor', text: `the embedding's rows have ${hidden} numbers` };
  const none: Evidence = { kind: 'rule', text: 'no tensor shows it' };
  const width: Evidence = { kind: 'tensor', text: `a routed expert's width is ${experts.width}` };
  const dense: Evidence = {
    kind: 'tensor',
    text:
      mlps.denseWidth === undefined
        ? 'no dense layer: the number is not used'
        : `the dense layers' width is ${mlps.denseWidth}`,
  };
  return {
    layers: layersKey(site),
    hiddenSize: shownKey(site, 'hiddenSize', 'hiddenSize', hidden, size),
    vocabularySize: shownKey(site, 'vocabularySize', 'vocabularySize', table?.shape[0], {
      kind: 'tensor',
      text: `${table?.path ?? 'the embedding'} has ${table?.shape[0] ?? 0} rows`,
    }),
    maxPositions: shownKey(site, 'maxPositions', 'maxPositions', undefined, none),
    normEpsilon: shownKey(site, 'normEpsilon', 'normEpsilon', undefined, none),
    experts: expertsKey(site, experts),
    topK: topKKey(site, experts),
    expertWidth: widthKey(site, 'config.expertWidth', 'expertWidth', experts.width, width),
    denseWidth:
      mlps.denseWidth === undefined
        ? site.notes.note(
            'config.denseWidth',
            keyOf(config.present('denseWidth').slice(0, 1), ['intermediate_size']),
            'certain',
            dense,
          )
        : widthKey(site, 'config.denseWidth', 'denseWidth', mlps.denseWidth, dense),
  };
}
