import { isStudioError } from '../base/errors.ts';
import type { QuantisationConfig } from '../quantisation/quantisation-config.ts';
import { storedWeight } from '../quantisation/stored-weight.ts';
import type { Evidence, NamedTensor } from './proposal.ts';

/** A module's tensors in all layers: one path with `#` for indices. */
export interface ModuleGroup {
  /** Full path with `#` in the place of every index, without the tensor's ending. */
  readonly path: string;
  /** What follows the layer's index; undefined outside the layers. */
  readonly rest: string | undefined;
  /** Name, dtype and shape of one of them, by ending (`weight`, `bias`, `weight_scale_inv`, …; `weight` for a bare parameter). */
  readonly parts: ReadonlyMap<string, NamedTensor>;
  /** A parameter of its own, without `.weight`. */
  readonly bare: boolean;
  /** Logical shape of the weight. */
  readonly shape: readonly number[];
  /** Every shape that occurs, as text. */
  readonly shapes: ReadonlySet<string>;
  /** Layers that have it, and the indices after the layer's. */
  readonly layers: ReadonlySet<number>;
  readonly inner: ReadonlySet<number>;
  /** Tensors of all layers and indices. */
  readonly count: number;
}

const ENDINGS: ReadonlySet<string> = new Set([
  'weight',
  'bias',
  'weight_scale_inv',
  'weight_scale',
  'weight_scale_2',
  'input_scale',
  'scale_inv',
  'scale',
  'weight_packed',
  'weight_shape',
  'weight_zero_point',
  'weight_g_idx',
  'qweight',
  'qzeros',
  'scales',
  'g_idx',
  'blocks',
]);

/** Where further-token layers lie apart. */
const FURTHER = /^mtp\w*\./;

const UNDERSCORED = /^(.*)_(bias|blocks|scales|scale_inv|scale)$/;

interface Split {
  readonly module: string;
  readonly ending: string;
}

/** `a.b.weight` → `a.b` + weight; `experts.down_proj_bias` → `experts.down_proj` + bias where that module is there. */
function split(name: string, names: ReadonlySet<string>): Split {
  const dot = name.lastIndexOf('.');
  const last = name.slice(dot + 1);
  if (dot > 0 && ENDINGS.has(last)) return { module: name.slice(0, dot), ending: last };
  const underscored = UNDERSCORED.exec(name);
  const [, base = '', ending = ''] = underscored ?? [];
  if (underscored !== null && (names.has(base) || names.has(`${base}_blocks`) || names.has(`${base}.weight`))) {
    return { module: base, ending };
  }
  return { module: name, ending: '' };
}

function skeleton(module: string): { readonly path: string; readonly indices: readonly number[] } {
  const indices: number[] = [];
  const path = module
    .split('.')
    .map((segment) => {
      if (!/^\d{1,9}$/.test(segment)) return segment;
      indices.push(Number(segment));
      return '#';
    })
    .join('.');
  return { path, indices };
}

interface Draft {
  readonly path: string;
  readonly parts: Map<string, NamedTensor>;
  readonly shapes: Set<string>;
  readonly layers: Set<number>;
  readonly inner: Set<number>;
  bare: boolean;
  count: number;
}

/** The shape the model computes with; the stored one where the format is unknown. */
function logicalShape(
  path: string,
  parts: ReadonlyMap<string, NamedTensor>,
  quantisation: QuantisationConfig | undefined,
): readonly number[] {
  try {
    return storedWeight(path, parts, quantisation).shape;
  } catch (error) {
    if (!isStudioError(error, 'checkpoint')) throw error;
    return (parts.get('weight') ?? [...parts.values()][0])?.shape ?? [];
  }
}

function collect(tensors: Iterable<NamedTensor>): Map<string, Draft> {
  const all = [...tensors];
  const names = new Set(all.map(({ name }) => name));
  const drafts = new Map<string, Draft>();
  for (const tensor of all) {
    const { module, ending } = split(tensor.name, names);
    const { path, indices } = skeleton(module);
    const draft: Draft = drafts.get(path) ?? {
      path,
      parts: new Map(),
      shapes: new Set(),
      layers: new Set(),
      inner: new Set(),
      bare: false,
      count: 0,
    };
    drafts.set(path, draft);
    if (!draft.parts.has(ending === '' ? 'weight' : ending)) draft.parts.set(ending === '' ? 'weight' : ending, tensor);
    if (ending === '') draft.bare = true;
    if (ending === '' || ending === 'weight') draft.shapes.add(`[${tensor.shape.join(', ')}]`);
    const [layer, inner] = indices;
    if (layer !== undefined) draft.layers.add(layer);
    if (inner !== undefined) draft.inner.add(inner);
    draft.count += 1;
  }
  return drafts;
}

/**
 * The path in front of the layers' index: of all paths up to their first index, the one with most layers of experts, or
 * with most tensors where no name speaks of experts.
 */
function rootOf(drafts: Iterable<Draft>): string | undefined {
  const tally = new Map<string, { readonly layers: Set<number>; tensors: number }>();
  for (const { path, count, layers } of drafts) {
    const end = path.indexOf('.#.');
    if (end < 0) continue;
    const root = path.slice(0, end);
    const sums = tally.get(root) ?? { layers: new Set<number>(), tensors: 0 };
    if (/expert|moe/i.test(path.slice(end))) for (const layer of layers) sums.layers.add(layer);
    sums.tensors += count;
    tally.set(root, sums);
  }
  const ranked = [...tally].sort((a, b) => b[1].layers.size - a[1].layers.size || b[1].tensors - a[1].tensors);
  return ranked[0]?.[0];
}

/** All modules of a checkpoint, those of one name in all layers as one. */
export class TensorModules {
  /** Path of the layers, e.g. `model.layers`. */
  readonly root: string;
  /** `model` of `model.layers`. */
  readonly trunk: string;
  readonly groups: readonly ModuleGroup[];
  readonly #place: string;

  constructor(tensors: Iterable<NamedTensor>, quantisation: QuantisationConfig | undefined) {
    const drafts = collect(tensors);
    this.root = rootOf(drafts.values()) ?? 'model.layers';
    this.trunk = this.root.slice(0, Math.max(0, this.root.lastIndexOf('.')));
    const start = `${this.root}.#.`;
    // Layers under a prefix of their own (`mtp.`) are read as if they lay under `model.`.
    const apart = [...drafts.keys()].some((path) => FURTHER.test(path)) && this.trunk !== 'model';
    this.#place = apart ? `{${this.trunk}|model}${this.root.slice(this.trunk.length)}` : this.root;
    this.groups = [...drafts.values()].map((draft) => ({
      ...draft,
      rest: draft.path.startsWith(start) ? draft.path.slice(start.length) : undefined,
      shape: logicalShape(draft.path, draft.parts, quantisation),
    }));
  }

  /** Modules of the layers. */
  inLayers(): readonly (ModuleGroup & { readonly rest: string })[] {
    return this.groups.flatMap((group) => (group.rest === undefined ? [] : [{ ...group, rest: group.rest }]));
  }

  /** Indices of the layers that have any tensor. */
  layerIndices(): readonly number[] {
    const layers = new Set(this.inLayers().flatMap((group) => [...group.layers]));
    return [...layers].sort((a, b) => a - b);
  }

  /** `rest` in every layer, as a descriptor's pattern. `inner`: the placeholder of a second index. */
  pattern(rest: string, inner: 'expert' | 'step' = 'step'): string {
    return `${this.#place}.{layer}.${rest.replace('#', `{${inner}}`)}`;
  }
}

/** Tensors as evidence: the path, the shape, and in how many layers. */
export function tensorEvidence({ path, shape, layers, inner }: ModuleGroup): Evidence {
  const counts = [
    ...(layers.size > 0 ? [`${layers.size} ${layers.size === 1 ? 'layer' : 'layers'}`] : []),
    ...(inner.size > 0 ? [`indices ${Math.min(...inner)}–${Math.max(...inner)}`] : []),
  ];
  return { kind: 'tensor', text: `${path} [${shape.join(', ')}]${counts.length > 0 ? `, ${counts.join(', ')}` : ''}` };
}
