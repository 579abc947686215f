import type { ConfigKey, Flag } from '../architectures/settings.ts';
import type { ConfigFacts } from './config-facts.ts';
import { KEYS, type KeyTopic } from './key-vocabulary.ts';
import type { Notebook } from './notebook.ts';
import type { Evidence } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';
import type { ModuleGroup } from './tensor-modules.ts';

export interface MixerSite {
  readonly config: ConfigFacts;
  readonly notes: Notebook;
  readonly source: SourceFacts | undefined;
  readonly hidden: number;
  /** Field of the mixer, e.g. `mixers.0.mixer`. */
  readonly field: string;
  /** Two mixers a layer. */
  readonly shortcut: boolean;
  /** Some other layers are Mamba's. */
  readonly besideScan: boolean;
}

/** Keys that configs leave out where their number follows from the others, or is that of a part the model lacks. */
const DERIVED: ReadonlySet<KeyTopic> = new Set<KeyTopic>(['headDim', 'keyValueHeads', 'queryRank']);

/** A topic's key that config.json has, checked against what the tensors show by `fits`. */
export function plainKey(
  site: MixerSite,
  name: string,
  topic: KeyTopic,
  fits?: (value: number) => boolean,
  seen?: Evidence,
): ConfigKey {
  const { config, notes } = site;
  const field = `${site.field}.${name}`;
  const numbers = config.numbers(topic);
  const found = numbers.find(({ value }) => fits?.(value) !== false);
  const more = seen === undefined ? [] : [seen];
  if (found !== undefined)
    return notes.note(field, [found.name] as const, 'certain', [config.evidence(found.name), ...more]);
  const [listed] = config.present(topic, true);
  const key: ConfigKey = [numbers[0]?.name ?? listed ?? KEYS[topic][0]];
  const absent = numbers.length === 0;
  const why: Evidence = {
    kind: 'rule',
    text: !absent
      ? 'its number does not fit the shapes'
      : DERIVED.has(topic)
        ? 'no such key: its number follows from the others'
        : 'config.json has none of the spellings known for it',
  };
  const confidence = absent && DERIVED.has(topic) ? 'likely' : 'uncertain';
  return notes.note(field, key, confidence, [config.evidence(key[0]), ...more, why]);
}

/** A switch that the tensors show; bound to its key where config.json has one that agrees. */
export function shownFlag(
  site: MixerSite,
  name: string,
  topic: KeyTopic,
  shown: boolean,
  module: ModuleGroup | undefined,
): Flag {
  const { config, notes } = site;
  const agreeing = config.present(topic).find((key) => config.reader.flag({ key: [key], fallback: false }) === shown);
  const seen: Evidence = {
    kind: 'tensor',
    text: module === undefined ? 'no such tensor' : `${module.path} has ${shown ? 'a' : 'no'} bias`,
  };
  const flag: Flag = agreeing === undefined ? shown : { key: [agreeing], fallback: shown };
  const said = agreeing === undefined ? [] : [config.evidence(agreeing)];
  return notes.note(`${site.field}.${name}`, flag, 'certain', [seen, ...said]);
}
