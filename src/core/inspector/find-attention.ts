import type { GroupedQueryAttention, LatentAttention } from '../architectures/mixers.ts';
import type { ConfigKey, Flag, LayerRule } from '../architectures/settings.ts';
import { findRotary, latentRotary } from './find-rotary.ts';
import type { KeyTopic } from './key-vocabulary.ts';
import { type MixerSite, plainKey, shownFlag } from './mixer-site.ts';
import type { MixerModules } from './part-names.ts';
import type { Evidence } from './proposal.ts';
import { type ModuleGroup, tensorEvidence } from './tensor-modules.ts';

function findNorm(
  site: MixerSite,
  norm: ModuleGroup | undefined,
  headDim: number,
): GroupedQueryAttention['queryKeyNorm'] {
  const { config, notes } = site;
  const field = `${site.field}.queryKeyNorm`;
  const [key] = config.present('queryKeyNorm');
  const said = key === undefined ? [] : [config.evidence(key)];
  const enabled: Flag = key === undefined ? true : { key: [key], fallback: true };
  const on = key !== undefined && config.reader.flag({ key: [key], fallback: false });
  if (norm === undefined && !on) {
    return notes.note(field, null, 'certain', [{ kind: 'tensor', text: 'no norm of queries or keys' }, ...said]);
  }
  if (norm === undefined) {
    const silent: Evidence = {
      kind: 'rule',
      text: 'config.json turns the norm on, but no tensor holds a weight: a norm without weight, after the rotation',
    };
    return notes.note(
      field,
      { over: 'head', place: 'after-rotation', unit: true, enabled, rotatedLayersOnly: true },
      'uncertain',
      [...said, silent],
    );
  }
  const length = norm.shape.at(-1) ?? 0;
  const over = length === headDim ? ('head' as const) : ('projection' as const);
  notes.note(field, null, 'certain', [tensorEvidence(norm), ...said]);
  notes.note(`${field}.over`, over, 'certain', [
    tensorEvidence(norm),
    { kind: 'tensor', text: `a head has ${headDim}` },
  ]);
  const late = /(?:query|key)_layernorm/.test(norm.path);
  const place = notes.guess(
    `${field}.place`,
    late ? ('after-rotation' as const) : ('before-rotation' as const),
    late
      ? 'norms of this name are known after the rotation'
      : 'before the rotation is the commonest; shapes cannot show it',
    ['before-rotation', 'after-rotation'],
  );
  return { over, place, unit: false, enabled, rotatedLayersOnly: false };
}

function findWindow(site: MixerSite): GroupedQueryAttention['window'] {
  const { config, notes } = site;
  const field = `${site.field}.window`;
  const [size] = config.present('window', true);
  if (size === undefined)
    return notes.note(field, null, 'likely', { kind: 'config', text: 'config.json has no sliding window' });
  const [enabled] = config.present('windowEnabled', true);
  const [from] = config.present('windowFrom');
  const kinds = ['layer_types', 'attn_type_list'].find((name) => {
    const list = config.reader.list([name]);
    return list?.some((kind) => typeof kind === 'string' && /attention/.test(kind)) === true;
  });
  const layers: LayerRule = {
    ...(from === undefined ? {} : { from: [from] as const }),
    ...(kinds === undefined ? {} : { types: { key: [kinds] as const, values: ['sliding_attention'] } }),
  };
  const names = [size, enabled, from, kinds].filter((name) => name !== undefined);
  return notes.note(
    field,
    { size: [size], enabled: enabled === undefined ? true : { key: [enabled], fallback: false }, layers },
    names.length > 1 || config.value(size) === undefined ? 'certain' : 'uncertain',
    names.map((name) => config.evidence(name)),
  );
}

function optionalKey(site: MixerSite, name: 'scale' | 'clip' | 'chunk', topic: KeyTopic): ConfigKey | null {
  const [key] = site.config.present(topic, true);
  if (key === undefined && name === 'scale') {
    return site.notes.guess(`${site.field}.scale`, null, 'no key: 1/√headDim; a constant in the code would not show');
  }
  const none: Evidence = { kind: 'config', text: 'no such key' };
  return site.notes.note(
    `${site.field}.${name}`,
    key === undefined ? null : ([key] as const),
    key === undefined ? 'likely' : 'certain',
    key === undefined ? none : site.config.evidence(key),
  );
}

function findTemperature(site: MixerSite): GroupedQueryAttention['temperature'] {
  const { config, notes } = site;
  const [enabled] = config.present('temperature');
  const [scale] = config.present('temperatureScale');
  const [floor] = config.present('temperatureFloor');
  const field = `${site.field}.temperature`;
  if (enabled === undefined || scale === undefined || floor === undefined) {
    return notes.note(field, null, 'likely', { kind: 'config', text: 'no key of a temperature' });
  }
  return notes.note(
    field,
    {
      enabled: { key: [enabled] as const, fallback: true },
      scale: { key: [scale] as const, fallback: 0.1 },
      floor: { key: [floor] as const, fallback: 8192 },
    },
    'certain',
    [enabled, scale, floor].map((name) => config.evidence(name)),
  );
}

/** Grouped-query attention from its projections' shapes and config.json's keys. */
export function groupedQueryOf(site: MixerSite, { parts }: MixerModules): GroupedQueryAttention {
  const { config, hidden, notes } = site;
  const query = parts.get('query');
  const key = parts.get('key');
  const heads = config.numbers('heads')[0]?.value ?? 1;
  const rows = query?.shape[0] ?? 0;
  const headDim = config.numbers('headDim')[0]?.value ?? hidden / heads;
  const outputGate = rows === 2 * heads * headDim;
  const seen = query === undefined ? undefined : tensorEvidence(query);
  const output = parts.get('output');
  const sinks = parts.get('sinks');
  const spec: GroupedQueryAttention = {
    kind: notes.note(
      `${site.field}.kind`,
      'grouped-query' as const,
      'certain',
      [...parts.values()].slice(0, 3).map(tensorEvidence),
    ),
    heads: plainKey(site, 'heads', 'heads', (value) => rows % value === 0, seen),
    keyValueHeads: plainKey(
      site,
      'keyValueHeads',
      'keyValueHeads',
      (value) => key?.shape[0] === value * headDim,
      key && tensorEvidence(key),
    ),
    headDim: plainKey(
      site,
      'headDim',
      'headDim',
      (value) => rows === value * heads || rows === 2 * value * heads,
      seen,
    ),
    queryKeyValueBias: shownFlag(site, 'queryKeyValueBias', 'projectionBias', query?.parts.has('bias') === true, query),
    outputBias: shownFlag(site, 'outputBias', 'outputBias', output?.parts.has('bias') === true, output),
    queryKeyNorm: findNorm(site, parts.get('query-norm'), headDim),
    rotary: findRotary(site),
    scale: optionalKey(site, 'scale', 'attentionScale'),
    clip: optionalKey(site, 'clip', 'clip'),
    window: findWindow(site),
    chunk: optionalKey(site, 'chunk', 'chunk'),
    sinks: notes.note(
      `${site.field}.sinks`,
      sinks !== undefined,
      'certain',
      sinks === undefined ? { kind: 'tensor', text: 'no sinks' } : tensorEvidence(sinks),
    ),
    outputGate: notes.note(`${site.field}.outputGate`, outputGate, 'certain', seen ?? []),
    temperature: findTemperature(site),
  };
  if (rows !== heads * headDim && !outputGate) {
    const doubt: Evidence = { kind: 'tensor', text: `${rows} rows of queries are not ${heads} heads of ${headDim}` };
    notes.doubt(`${site.field}.headDim`, 'uncertain', doubt);
    notes.doubt(`${site.field}.outputGate`, 'uncertain', doubt);
  }
  return spec;
}

/** Latent attention from its low-rank projections and config.json's keys. */
export function latentOf(site: MixerSite, { parts }: MixerModules): LatentAttention {
  const { config, notes, field } = site;
  const down = parts.get('key-value-down');
  const queryDown = parts.get('query-down');
  const value = (topic: KeyTopic): number => config.numbers(topic)[0]?.value ?? 0;
  const [interleave] = config.present('interleave');
  const flag: Flag | null = interleave === undefined ? null : { key: [interleave], fallback: true };
  const [scaleQuery] = config.present('rankScaleQuery');
  const [scaleKeyValue] = config.present('rankScaleKeyValue');
  const scaled = scaleQuery !== undefined || scaleKeyValue !== undefined || site.shortcut;
  const rankFlag = (name: string | undefined): Flag => (name === undefined ? true : { key: [name], fallback: true });
  const rankScale = scaled ? { query: rankFlag(scaleQuery), keyValue: rankFlag(scaleKeyValue) } : null;
  const said = [scaleQuery, scaleKeyValue].filter((name) => name !== undefined).map((name) => config.evidence(name));
  return {
    kind: notes.note(`${field}.kind`, 'latent' as const, 'certain', down === undefined ? [] : tensorEvidence(down)),
    heads: plainKey(site, 'heads', 'heads'),
    queryRank: plainKey(
      site,
      'queryRank',
      'queryRank',
      (rank) => queryDown?.shape[0] === rank,
      queryDown && tensorEvidence(queryDown),
    ),
    keyValueRank: plainKey(
      site,
      'keyValueRank',
      'keyValueRank',
      (rank) => down?.shape[0] === rank + value('ropeDim'),
      down && tensorEvidence(down),
    ),
    nopeDim: plainKey(site, 'nopeDim', 'nopeDim'),
    ropeDim: plainKey(site, 'ropeDim', 'ropeDim'),
    valueDim: plainKey(site, 'valueDim', 'valueDim'),
    bias: shownFlag(site, 'bias', 'outputBias', down?.parts.has('bias') === true, down),
    normEpsilon: notes.guess(
      `${field}.normEpsilon`,
      1e-6,
      "the family's code fixes it, whatever config.json says of the other norms",
    ),
    rotary: latentRotary(site),
    interleave: notes.note(
      `${field}.interleave`,
      flag,
      interleave === undefined ? 'likely' : 'certain',
      interleave === undefined ? { kind: 'config', text: 'no key chooses the style' } : config.evidence(interleave),
    ),
    rankScale: notes.note(
      `${field}.rankScale`,
      rankScale,
      said.length > 0 ? 'certain' : 'uncertain',
      said.length > 0
        ? said
        : {
            kind: 'rule',
            text: scaled ? 'layers of two steps are known to scale by the rank' : 'no key scales by the rank',
          },
    ),
  };
}
