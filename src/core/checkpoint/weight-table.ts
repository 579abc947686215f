import type { PartName } from '../architectures/tensor-parts.ts';
import { sliceFirstAxis, storedWeight } from '../quantisation/stored-weight.ts';
import type { StoredWeight } from '../quantisation/weight-scheme.ts';
import type { Checkpoint, CheckpointTensor, MlpKind, Projection } from './checkpoint.ts';

/** Names a weight by what it does. */
export type WeightKey =
  | { readonly part: PartName; readonly layer?: number; readonly step?: number }
  | { readonly mlp: MlpKind; readonly projection: Projection; readonly layer: number; readonly step?: number }
  | { readonly expert: number; readonly projection: Projection; readonly layer: number }
  | { readonly fused: 'gate-up' | 'down'; readonly layer: number };

/** A key as text, one for each module. */
export function keyText(key: WeightKey): string {
  if ('part' in key) return `${key.part} ${key.layer ?? ''} ${key.step ?? 0}`;
  if ('mlp' in key) return `${key.mlp} ${key.projection} ${key.layer} ${key.step ?? 0}`;
  if ('fused' in key) return `fused ${key.fused} ${key.layer}`;
  return `expert ${key.projection} ${key.layer} ${key.expert}`;
}

/** What a tensor belongs to; undefined outside the forward pass. */
export function keyOf({ role }: CheckpointTensor): WeightKey | undefined {
  if (role.nextToken) return undefined;
  switch (role.kind) {
    case 'part':
      return { part: role.part, step: role.step, ...(role.layer === undefined ? {} : { layer: role.layer }) };
    case 'router':
      return { part: role.part, layer: role.layer };
    case 'mlp':
      return { mlp: role.mlp, projection: role.projection, layer: role.layer, step: role.step };
    case 'expert':
      return { expert: role.expert, projection: role.projection, layer: role.layer };
    case 'fused-experts':
      return { fused: role.projection, layer: role.layer };
    case 'ignored':
      return undefined;
  }
}

/** The tensors of a checkpoint by what they do: each weight with everything that stores it, each bias. */
export class WeightTable {
  readonly #modules = new Map<string, Map<string, CheckpointTensor>>();
  readonly #quantisation: Checkpoint['quantisation'];

  constructor(tensors: Iterable<CheckpointTensor>, quantisation: Checkpoint['quantisation']) {
    this.#quantisation = quantisation;
    for (const tensor of tensors) {
      const key = keyOf(tensor);
      if (key === undefined || !('suffix' in tensor.role)) continue;
      const text = keyText(key);
      const module = this.#modules.get(text) ?? new Map<string, CheckpointTensor>();
      // A bare parameter is its own weight.
      module.set(tensor.role.suffix === '' ? 'weight' : tensor.role.suffix, tensor);
      this.#modules.set(text, module);
    }
  }

  /** The weight and how it is stored; undefined when the checkpoint has none. @throws `unsupported-quantisation`. */
  weight(key: WeightKey): StoredWeight<CheckpointTensor> | undefined {
    const module = this.#modules.get(keyText(key));
    if (module === undefined || (module.size === 1 && module.has('bias'))) return undefined;
    const name = [...module.values()][0]?.name ?? '';
    return storedWeight(name, module, this.#quantisation);
  }

  /** The bias beside a weight. */
  bias(key: WeightKey): StoredWeight<CheckpointTensor> | undefined {
    const bias = this.#modules.get(keyText(key))?.get('bias');
    return bias === undefined ? undefined : plain(bias);
  }

  /** Whether a layer's experts lie in one tensor each. */
  isFused(layer: number): boolean {
    return this.#modules.has(keyText({ fused: 'down', layer }));
  }

  /** One expert's part of a fused weight or bias. */
  slice(weight: StoredWeight<CheckpointTensor>, expert: number): StoredWeight<CheckpointTensor> {
    return sliceFirstAxis(weight, expert);
  }
}

function plain(tensor: CheckpointTensor): StoredWeight<CheckpointTensor> {
  return storedWeight(tensor.name, new Map([['weight', tensor]]), undefined);
}

const tables = new WeakMap<Checkpoint['tensors'], WeightTable>();

/** The checkpoint's table, made at the first use. */
export function weightTable(checkpoint: Pick<Checkpoint, 'tensors' | 'quantisation'>): WeightTable {
  const known = tables.get(checkpoint.tensors);
  if (known !== undefined) return known;
  const table = new WeightTable(checkpoint.tensors.values(), checkpoint.quantisation);
  tables.set(checkpoint.tensors, table);
  return table;
}
