import type { ExpertSpec, FusedNames, ProjectionNames } from '../architectures/descriptor.ts';
import { fixed } from '../architectures/settings.ts';
import { StudioError } from '../base/errors.ts';
import type { ConfigFacts } from './config-facts.ts';
import { KEYS } from './key-vocabulary.ts';
import type { Notebook } from './notebook.ts';
import { findProjections } from './projection-names.ts';
import type { Evidence } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';
import { type ModuleGroup, type TensorModules, tensorEvidence } from './tensor-modules.ts';

type LayerGroup = ModuleGroup & { readonly rest: string };

export interface ExpertsFound {
  /** Path of the experts in their layer, e.g. `mlp.experts`; of fused ones the module that holds them. */
  readonly container: string;
  /** Path of the MoE block in its layer, e.g. `mlp`. */
  readonly block: string;
  readonly count: number;
  readonly width: number;
  readonly layers: ReadonlySet<number>;
  readonly perExpert: ProjectionNames | null;
  readonly fused: FusedNames | null;
  readonly groups: readonly LayerGroup[];
}

function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** Values that config.json's keys for an expert count hold. */
function statedCounts(config: ConfigFacts): ReadonlySet<number> {
  return new Set(config.numbers('experts').map(({ value }) => value));
}

/** Modules with an index after the layer's, by what stands before that index: `mlp.experts` → its modules. */
function numberedContainers(modules: TensorModules): Map<string, LayerGroup[]> {
  const containers = new Map<string, LayerGroup[]>();
  for (const group of modules.inLayers()) {
    const at = group.rest.indexOf('.#.');
    if (at < 0) continue;
    const container = group.rest.slice(0, at);
    containers.set(container, [...(containers.get(container) ?? []), group]);
  }
  return containers;
}

function findPerExpert(
  modules: TensorModules,
  config: ConfigFacts,
  hidden: number,
  notes: Notebook,
  source: SourceFacts | undefined,
): ExpertsFound | undefined {
  const stated = statedCounts(config);
  const candidates = [...numberedContainers(modules)].map(([container, groups]) => {
    // An index without all projections is no expert.
    const count = Math.min(...groups.map(({ inner }) => inner.size));
    const named = /expert/i.test(lastOf(container)) && !/shared/i.test(container);
    return { container, groups, count, rank: (named ? 2 : 0) + (stated.has(count) ? 1 : 0) };
  });
  const best = candidates.filter(({ rank }) => rank > 0).sort((a, b) => b.rank - a.rank || b.count - a.count)[0];
  if (best === undefined) return undefined;
  const shapes = new Map(best.groups.map(({ rest, shape }) => [rest.slice(best.container.length + 3), shape]));
  const found = findProjections(shapes, hidden, source);
  if (found === undefined) return undefined;
  const at = modules.pattern(`${best.container}.#`, 'expert');
  const { gate, up, down } = found.names;
  const names: ProjectionNames = {
    gate: gate === null ? null : `${at}.${gate}`,
    up: `${at}.${up}`,
    down: `${at}.${down}`,
  };
  for (const role of ['gate', 'up', 'down'] as const) {
    notes.note(`experts.perExpert.${role}`, names[role], found.confidence[role], found.evidence[role]);
  }
  notes.note('experts.fused', null, 'certain', { kind: 'tensor', text: 'every expert has tensors of its own' });
  return {
    container: best.container,
    block: parent(best.container),
    count: best.count,
    width: found.width,
    layers: new Set(best.groups.flatMap(({ layers }) => [...layers])),
    perExpert: names,
    fused: null,
    groups: best.groups,
  };
}

interface FusedPair {
  readonly gateUp: LayerGroup;
  readonly down: LayerGroup;
  readonly orientation: 'out-in' | 'in-out';
  readonly fits: readonly ('out-in' | 'in-out')[];
  readonly width: number;
}

/** Whether two tensors [E, ·, ·] can be gate-and-up and down of one width, and in which orientations. */
function pairOf(gateUp: LayerGroup, down: LayerGroup, hidden: number): FusedPair | undefined {
  const [, a = 0, b = 0] = gateUp.shape;
  const [, c = 0, d = 0] = down.shape;
  const packed = gateUp.parts.has('blocks');
  const fits = (['out-in', 'in-out'] as const).filter((orientation) => {
    const [inner, into] = orientation === 'out-in' ? [a, b] : [b, a];
    const [out, width] = orientation === 'out-in' ? [c, d] : [d, c];
    return into === hidden && out === hidden && inner === 2 * width && !(packed && orientation === 'in-out');
  });
  const [orientation] = fits;
  if (orientation === undefined) return undefined;
  return { gateUp, down, orientation, fits, width: orientation === 'out-in' ? d : c };
}

function findPair(modules: TensorModules, config: ConfigFacts, hidden: number): FusedPair | undefined {
  const stated = statedCounts(config);
  const cubes = modules
    .inLayers()
    .filter(({ shape, rest }) => shape.length === 3 && !rest.includes('#') && stated.has(shape[0] ?? 0));
  for (const down of cubes) {
    for (const gateUp of cubes) {
      if (gateUp === down || parent(gateUp.rest) !== parent(down.rest)) continue;
      const pair = pairOf(gateUp, down, hidden);
      if (pair !== undefined) return pair;
    }
  }
  return undefined;
}

function noteOrientation(pair: FusedPair, notes: Notebook): void {
  const shapes: Evidence = {
    kind: 'tensor',
    text: `${lastOf(pair.gateUp.rest)} is [${pair.gateUp.shape.join(', ')}], ${lastOf(pair.down.rest)} [${pair.down.shape.join(', ')}]`,
  };
  const packed = pair.gateUp.parts.has('blocks');
  const open = pair.fits.length > 1;
  notes.note(
    'experts.fused.orientation',
    pair.orientation,
    open ? 'uncertain' : 'certain',
    [shapes, ...(open ? [{ kind: 'rule', text: 'both orientations fit these shapes' } as const] : [])],
    open ? pair.fits : [],
  );
  if (packed) notes.support('experts.fused.orientation', { kind: 'rule', text: 'blocks of FP4 lie as [E, out, in]' });
}

function noteInterleaving(pair: FusedPair, notes: Notebook, source: SourceFacts | undefined): boolean {
  const said = source?.interleavedExperts;
  if (said !== undefined) return notes.note('experts.fused.interleaved', said.value, 'certain', said.evidence);
  const biased = pair.gateUp.parts.has('bias') && /gate_up/.test(pair.gateUp.rest);
  return notes.guess(
    'experts.fused.interleaved',
    biased,
    biased
      ? 'fused experts with a bias of gate and up are known to let gate and up take turns; shapes cannot show it'
      : 'gate first, then up, is the habit; shapes cannot show it',
    [true, false],
  );
}

function findFused(
  modules: TensorModules,
  config: ConfigFacts,
  hidden: number,
  notes: Notebook,
  source: SourceFacts | undefined,
): ExpertsFound | undefined {
  const pair = findPair(modules, config, hidden);
  if (pair === undefined) return undefined;
  const { gateUp, down } = pair;
  const container = parent(down.rest);
  const fused: FusedNames = {
    gateUp: notes.note('experts.fused.gateUp', modules.pattern(gateUp.rest), 'certain', tensorEvidence(gateUp)),
    down: notes.note('experts.fused.down', modules.pattern(down.rest), 'certain', tensorEvidence(down)),
    orientation: pair.orientation,
    interleaved: noteInterleaving(pair, notes, source),
  };
  noteOrientation(pair, notes);
  notes.note('experts.perExpert', null, 'certain', {
    kind: 'tensor',
    text: 'the experts of a layer share their tensors',
  });
  return {
    container,
    block: /expert/i.test(lastOf(container)) ? parent(container) : container,
    count: down.shape[0] ?? 0,
    width: pair.width,
    layers: new Set(down.layers),
    perExpert: null,
    fused,
    groups: [gateUp, down],
  };
}

/**
 * The routed experts: tensors of their own under an index, or one tensor for all with the expert count in front.
 * @throws StudioError family `checkpoint` code `no-experts` when neither is there.
 */
export function findExperts(
  modules: TensorModules,
  config: ConfigFacts,
  hidden: number,
  notes: Notebook,
  source: SourceFacts | undefined,
): ExpertsFound {
  const found =
    findPerExpert(modules, config, hidden, notes, source) ?? findFused(modules, config, hidden, notes, source);
  if (found !== undefined) return found;
  throw new StudioError(
    'checkpoint',
    'no-experts',
    'No routed experts were found: no tensors under an expert index, and no tensor whose first size is the expert count.',
    {
      nextStep: `Check that this is a Mixture-of-Experts model whose config.json names its expert count (${KEYS.experts.slice(0, 3).join(', ')}, …).`,
      details: { root: modules.root },
    },
  );
}

const ACTIVATIONS: ReadonlyMap<string, 'silu' | 'relu-squared'> = new Map([
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['swiglu', 'silu'],
  ['relu2', 'relu-squared'],
]);

/** The activation between the projections. */
export function findActivation(
  { groups }: ExpertsFound,
  config: ConfigFacts,
  notes: Notebook,
): Pick<ExpertSpec, 'activation' | 'limit'> {
  const [limitKey] = config.present('activationLimit');
  const biased = groups.some(({ parts }) => parts.has('bias'));
  const [key] = config.present('activation');
  const named = key === undefined ? undefined : ACTIVATIONS.get(String(config.value(key)));
  const said = key === undefined ? [] : [config.evidence(key)];
  if (limitKey !== undefined || (biased && named !== 'relu-squared')) {
    const why =
      limitKey === undefined
        ? { kind: 'rule' as const, text: 'experts with biases are known with the clamped activation' }
        : config.evidence(limitKey);
    notes.note('experts.activation', 'clamped-swiglu', 'uncertain', [...said, why], ['silu', 'clamped-swiglu']);
    const limit = { key: limitKey === undefined ? ('swiglu_limit' as const) : limitKey, fallback: 7 };
    const setting = { key: [limit.key] as const, fallback: limit.fallback };
    notes.note('experts.limit', setting, limitKey === undefined ? 'uncertain' : 'certain', why);
    return { activation: 'clamped-swiglu', limit: setting };
  }
  const limit: Evidence = { kind: 'rule', text: 'only the clamped activation has a limit' };
  notes.note('experts.limit', fixed(0), named === undefined ? 'uncertain' : 'likely', limit);
  if (named !== undefined && key !== undefined) {
    return { activation: notes.note('experts.activation', named, 'likely', said), limit: fixed(0) };
  }
  const why =
    key === undefined
      ? 'config.json names no activation; SiLU is the habit'
      : 'the studio does not know this activation';
  notes.note(
    'experts.activation',
    'silu',
    'uncertain',
    [...said, { kind: 'rule', text: why }],
    ['silu', 'relu-squared'],
  );
  return { activation: 'silu', limit: fixed(0) };
}
