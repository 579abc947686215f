import type { ProjectionNames, SharedExpertSpec } from '../architectures/descriptor.ts';
import type { ConfigKey } from '../architectures/settings.ts';
import { type ConfigFacts, keyOf } from './config-facts.ts';
import type { ExpertsFound } from './find-experts.ts';
import { KEYS, type KeyTopic } from './key-vocabulary.ts';
import { layerRanges } from './layer-rule.ts';
import type { Notebook } from './notebook.ts';
import { findProjections, isProjectionName, type ProjectionsFound } from './projection-names.ts';
import type { Evidence } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';
import { type ModuleGroup, type TensorModules, tensorEvidence } from './tensor-modules.ts';

type LayerGroup = ModuleGroup & { readonly rest: string };

export interface MlpSite {
  readonly modules: TensorModules;
  readonly config: ConfigFacts;
  readonly experts: ExpertsFound;
  readonly hidden: number;
  readonly notes: Notebook;
  readonly source: SourceFacts | undefined;
  /** Paths of the router's modules: `gate` is the name of routers and of projections. */
  readonly taken: ReadonlySet<string>;
}

interface Mlp {
  readonly container: string;
  readonly groups: readonly LayerGroup[];
  readonly layers: ReadonlySet<number>;
  readonly found: ProjectionsFound;
}

/** Every group of projections of the layers that is not a routed expert. */
function findMlps({ modules, experts, hidden, source, taken }: MlpSite): Mlp[] {
  const containers = new Map<string, LayerGroup[]>();
  for (const group of modules.inLayers()) {
    const at = group.rest.lastIndexOf('.');
    const under = group.rest.startsWith(`${experts.container}.`) && group.rest.includes('#');
    if (at < 0 || under || taken.has(group.path) || experts.groups.includes(group) || group.shape.length !== 2)
      continue;
    if (!isProjectionName(group.rest.slice(at + 1))) continue;
    const container = group.rest.slice(0, at);
    containers.set(container, [...(containers.get(container) ?? []), group]);
  }
  return [...containers].flatMap(([container, groups]): Mlp[] => {
    const shapes = new Map(groups.map(({ rest, shape }) => [rest.slice(container.length + 1), shape]));
    const found = findProjections(shapes, hidden, source);
    const layers = new Set(groups.flatMap((group) => [...group.layers]));
    return found === undefined ? [] : [{ container, groups, layers, found }];
  });
}

function noteNames(site: MlpSite, field: string, { container, found }: Mlp): ProjectionNames {
  const at = site.modules.pattern(container);
  const { gate, up, down } = found.names;
  const names: ProjectionNames = {
    gate: gate === null ? null : `${at}.${gate}`,
    up: `${at}.${up}`,
    down: `${at}.${down}`,
  };
  for (const role of ['gate', 'up', 'down'] as const) {
    site.notes.note(`${field}.${role}`, names[role], found.confidence[role], found.evidence[role]);
  }
  return names;
}

/**
 * The key whose number is `width`: the first of the topic that holds it, `likely` where another does too.
 */
export function widthKey(
  site: Pick<MlpSite, 'config' | 'notes'>,
  field: string,
  topic: KeyTopic,
  width: number,
  seen: Evidence,
): ConfigKey {
  const { config, notes } = site;
  const numbers = config.numbers(topic);
  const fits = numbers.filter(({ value }) => value === width);
  const [first, ...more] = fits;
  if (first !== undefined) {
    const key: ConfigKey = [first.name];
    return notes.note(
      field,
      key,
      more.length === 0 ? 'certain' : 'likely',
      [seen, config.evidence(first.name)],
      more.map(({ name }) => [name]),
    );
  }
  const other = config.integers().find(({ name, value }) => value === width && /size|width|dim|ffn|inter/.test(name));
  if (other !== undefined) {
    return notes.note(field, [other.name] as const, 'uncertain', [seen, config.evidence(other.name)]);
  }
  const none: Evidence = { kind: 'rule', text: `no key of config.json holds ${width}` };
  return notes.note(field, keyOf(numbers.map(({ name }) => name).slice(0, 1), [KEYS[topic][0]]), 'uncertain', [
    seen,
    none,
  ]);
}

function sharedWidth(site: MlpSite, width: number): SharedExpertSpec['width'] {
  const { config, notes, experts } = site;
  const field = 'shared.width';
  const seen: Evidence = { kind: 'tensor', text: `the shared expert's width is ${width}` };
  const own = config.numbers('sharedWidth').find(({ value }) => value === width);
  if (own !== undefined)
    return notes.note(field, { key: [own.name] as const }, 'certain', [seen, config.evidence(own.name)]);
  const count = config.numbers('sharedCount').find(({ value }) => value * experts.width === width);
  if (count !== undefined) {
    const times: Evidence = { kind: 'rule', text: `${count.value} × the routed width ${experts.width}` };
    return notes.note(field, { count: [count.name] as const }, 'certain', [seen, config.evidence(count.name), times]);
  }
  return notes.note(field, { key: widthKey(site, field, 'expertWidth', width, seen) }, 'likely', [
    seen,
    ...config
      .numbers('expertWidth')
      .filter(({ value }) => value === width)
      .map(({ name }) => config.evidence(name)),
  ]);
}

function findShared(
  site: MlpSite,
  mlp: Mlp | undefined,
): { spec: SharedExpertSpec | null; gate: LayerGroup | undefined } {
  const { notes, modules, experts, hidden } = site;
  if (mlp === undefined) {
    notes.note('shared', null, 'certain', {
      kind: 'tensor',
      text: 'the MoE layers hold no MLP beside the routed experts',
    });
    return { spec: null, gate: undefined };
  }
  const gate = modules
    .inLayers()
    .find(
      ({ rest, shape }) => /gate/.test(rest) && rest.startsWith(experts.block) && shape[0] === 1 && shape[1] === hidden,
    );
  const where: Evidence = {
    kind: 'tensor',
    text: `${mlp.container} lies in the MoE layers ${layerRanges(mlp.layers)}`,
  };
  const names = noteNames(site, 'shared.names', mlp);
  if (!/share/i.test(mlp.container)) {
    const doubt: Evidence = {
      kind: 'rule',
      text: 'its name does not say "shared": it may be a dense MLP beside the experts',
    };
    for (const role of ['gate', 'up', 'down']) notes.doubt(`shared.names.${role}`, 'uncertain', doubt);
  }
  const gated = gate !== undefined;
  notes.note(
    'shared.gated',
    gated,
    'certain',
    gated ? tensorEvidence(gate) : { kind: 'tensor', text: 'no gate [1, hidden] beside it' },
  );
  notes.support('shared.names.down', where);
  return { spec: { names, width: sharedWidth(site, mlp.found.width), gated }, gate };
}

export interface MlpsFound {
  readonly shared: SharedExpertSpec | null;
  readonly dense: ProjectionNames | null;
  readonly denseLayers: ReadonlySet<number>;
  readonly denseWidth: number | undefined;
  /** Two MLPs a layer beside the experts. */
  readonly shortcut: boolean;
  /** Part `shared-expert-gate`. */
  readonly sharedGate: LayerGroup | undefined;
  readonly groups: readonly LayerGroup[];
}

/** The MLPs that are no routed experts: the shared expert of MoE layers, and the MLP of dense layers. */
export function findOtherMlps(site: MlpSite): MlpsFound {
  const { experts, notes } = site;
  const mlps = findMlps(site);
  const overlaps = ({ layers }: Mlp): boolean => [...layers].some((layer) => experts.layers.has(layer));
  const stepped = mlps.find(({ container }) => container.includes('#'));
  const sharedMlp = mlps.find((mlp) => mlp !== stepped && overlaps(mlp));
  const denseMlp = stepped ?? mlps.find((mlp) => mlp !== sharedMlp && !overlaps(mlp));
  const { spec, gate } = findShared(site, sharedMlp);
  const dense = denseMlp === undefined ? null : noteNames(site, 'dense', denseMlp);
  if (denseMlp === undefined)
    notes.note('dense', null, 'certain', { kind: 'tensor', text: 'no layer has an MLP without experts' });
  return {
    shared: spec,
    dense,
    denseLayers: denseMlp?.layers ?? new Set(),
    denseWidth: denseMlp?.found.width,
    shortcut: stepped !== undefined,
    sharedGate: gate,
    groups: [...(sharedMlp?.groups ?? []), ...(denseMlp?.groups ?? []), ...(gate === undefined ? [] : [gate])],
  };
}
