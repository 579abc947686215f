import type { PartName } from '../architectures/tensor-parts.ts';
import type { ModuleGroup, TensorModules } from './tensor-modules.ts';

type LayerGroup = ModuleGroup & { readonly rest: string };

/** How the field names what mixers and norms hold: last parts of a module's path, the first that matches decides. */
const MIXER_NAMES: readonly (readonly [PartName, RegExp])[] = [
  ['query-down', /\.q_a_proj$/],
  ['query-down-norm', /\.q_a_(?:layer)?norm$/],
  ['query-up', /\.q_b_proj$/],
  ['key-value-down', /\.kv_a_proj(?:_with_mqa)?$/],
  ['key-value-down-norm', /\.kv_a_(?:layer)?norm$/],
  ['key-value-up', /\.kv_b_proj$/],
  ['query', /\.(?:q_proj|wq|query|q)$/],
  ['key', /\.(?:k_proj|wk|key|k)$/],
  ['value', /\.(?:v_proj|wv|value|v)$/],
  ['query-norm', /\.(?:q_norm|q_layernorm|query_layernorm|query_norm|q_ln)$/],
  ['key-norm', /\.(?:k_norm|k_layernorm|key_layernorm|key_norm|k_ln)$/],
  ['sinks', /\.sinks$/],
  ['delta-qkvz', /\.in_proj_qkvz$/],
  ['delta-ba', /\.in_proj_ba$/],
  ['delta-qkv', /\.in_proj_qkv$/],
  ['delta-z', /\.in_proj_z$/],
  ['delta-b', /\.in_proj_b$/],
  ['delta-a', /\.in_proj_a$/],
];

const OUTPUT = /\.(?:o_proj|out_proj|wo|dense|output)$/;

const DELTA: readonly (readonly [PartName, RegExp])[] = [
  ['delta-convolution', /\.conv1d$/],
  ['delta-time-bias', /\.dt_bias$/],
  ['delta-decay', /\.A_log$/],
  ['delta-norm', /\.norm$/],
  ['delta-output', OUTPUT],
];

const SCAN: readonly (readonly [PartName, RegExp])[] = [
  ['scan-in', /\.in_proj$/],
  ['scan-convolution', /\.conv1d$/],
  ['scan-time-bias', /\.dt_bias$/],
  ['scan-decay', /\.A_log$/],
  ['scan-skip', /\.D$/],
  ['scan-norm', /\.norm$/],
  ['scan-out', OUTPUT],
];

const CONVOLUTION: readonly (readonly [PartName, RegExp])[] = [
  ['convolution-in', /\.in_proj$/],
  ['convolution', /\.conv(?:1d)?$/],
  ['convolution-out', OUTPUT],
];

export type MixerKind = 'grouped-query' | 'latent' | 'gated-delta-net' | 'short-convolution' | 'selective-scan';

/** A kind of mixer with the modules that it is made of. */
export interface MixerModules {
  readonly kind: MixerKind;
  readonly layers: ReadonlySet<number>;
  readonly parts: ReadonlyMap<PartName, LayerGroup>;
}

function parent(rest: string): string {
  return rest.slice(0, Math.max(0, rest.lastIndexOf('.')));
}

/** Modules of the layers by the module that holds them; a layer's kinds may share a name (Nemotron-H's `mixer`). */
function holders(groups: readonly LayerGroup[]): Map<string, LayerGroup[]> {
  const found = new Map<string, LayerGroup[]>();
  for (const group of groups) {
    const holder = parent(group.rest);
    if (holder !== '') found.set(holder, [...(found.get(holder) ?? []), group]);
  }
  return found;
}

function named(
  groups: readonly LayerGroup[],
  names: readonly (readonly [PartName, RegExp])[],
): Map<PartName, LayerGroup> {
  const parts = new Map<PartName, LayerGroup>();
  for (const [part, pattern] of names) {
    const group = groups.find(({ rest }) => pattern.test(`.${rest}`));
    if (group !== undefined) parts.set(part, group);
  }
  return parts;
}

function mixersOf(groups: readonly LayerGroup[]): MixerModules[] {
  const parts = named(groups, MIXER_NAMES);
  const found: MixerModules[] = [];
  const layersOf = (part: PartName): ReadonlySet<number> => parts.get(part)?.layers ?? new Set();
  const pick = (test: (part: PartName) => boolean): Map<PartName, LayerGroup> =>
    new Map([...parts].filter(([part]) => test(part)));
  const sharesLayers = (layers: ReadonlySet<number>) => (group: LayerGroup) =>
    [...group.layers].some((layer) => layers.has(layer));
  const add = (
    kind: MixerKind,
    layers: ReadonlySet<number>,
    own: Map<PartName, LayerGroup>,
    more: readonly (readonly [PartName, RegExp])[],
  ): void => {
    const rest = named(groups.filter(sharesLayers(layers)), more);
    found.push({ kind, layers, parts: new Map([...own, ...rest]) });
  };
  if (parts.has('key-value-down')) {
    add(
      'latent',
      layersOf('key-value-down'),
      pick((part) => /^(?:query|key-value)/.test(part)),
      [['output', OUTPUT]],
    );
  } else if (parts.has('query') && parts.has('key') && parts.has('value')) {
    add(
      'grouped-query',
      layersOf('query'),
      pick((part) => !part.startsWith('delta')),
      [['output', OUTPUT]],
    );
  }
  const decay = groups.find(({ rest }) => /(?:^|\.)A_log$/.test(rest));
  const convolution = groups.find(({ rest, shape }) => /(?:^|\.)conv(?:1d)?$/.test(rest) && shape.length === 3);
  if (decay !== undefined && (parts.has('delta-qkvz') || parts.has('delta-qkv'))) {
    add(
      'gated-delta-net',
      decay.layers,
      pick((part) => part.startsWith('delta')),
      DELTA,
    );
  } else if (decay !== undefined) add('selective-scan', decay.layers, new Map(), SCAN);
  else if (convolution !== undefined) add('short-convolution', convolution.layers, new Map(), CONVOLUTION);
  return found;
}

/** The mixers of the layers, by the names of their modules. */
export function findMixerModules(modules: TensorModules, taken: ReadonlySet<string>): MixerModules[] {
  const groups = modules.inLayers().filter(({ path }) => !taken.has(path));
  return [...holders(groups).values()].flatMap(mixersOf);
}
