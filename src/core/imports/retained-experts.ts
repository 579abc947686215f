import { isJsonObject } from '../base/json.ts';
import { invalidImport } from './refusals.ts';

/** Which experts stay, by the file's own layer numbers. */
export interface RetainedLayer {
  readonly number: number;
  /** Ascending, each once. */
  readonly keep: readonly number[];
}

const WRAPPERS = ['retained_experts', 'retained'];

/** `model.layers.3.mlp`, `layers.3` or plain `3`. */
const LAYER_NUMBER = /^(?:(?:.*\.)?(?:layers|blocks|h|blk)\.)?(\d{1,6})(?:\.[^0-9]*)?$/;

/** The lists in JSON of llm-compressor's retained experts, undefined for JSON of another form. */
function listsOf(value: unknown): readonly (readonly [name: string, list: unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((list, index) => [String(index), list] as const);
  if (!isJsonObject(value)) return undefined;
  const wrapper = WRAPPERS.find((key) => Object.hasOwn(value, key));
  if (wrapper !== undefined) return listsOf(value[wrapper]);
  return Object.entries(value);
}

/** True for JSON that maps modules, or layers, to lists of whole numbers. */
export function isRetained(value: unknown): boolean {
  const lists = listsOf(value);
  return (
    lists !== undefined &&
    lists.length > 0 &&
    lists.every(([name, list]) => LAYER_NUMBER.test(name) && Array.isArray(list))
  );
}

/**
 * Reads the retained experts that llm-compressor's REAPPruningModifier writes: module name → indices that stay; lists
 * alone, in the order of layers, are taken as well.
 *
 * @throws StudioError plan/invalid-import naming the module.
 */
export function readRetained(file: string, value: unknown): readonly RetainedLayer[] {
  const layers = (listsOf(value) ?? []).map(([name, list]): RetainedLayer => {
    const indices = Array.isArray(list) ? list : [];
    const keep = indices.filter((expert): expert is number => Number.isSafeInteger(expert) && expert >= 0);
    if (keep.length === 0 || keep.length !== indices.length || new Set(keep).size !== keep.length) {
      throw invalidImport(file, `does not list whole numbers, each once, for "${name.slice(0, 80)}"`);
    }
    return { number: Number(LAYER_NUMBER.exec(name)?.[1]), keep: [...keep].sort((a, b) => a - b) };
  });
  const twice = layers.find(({ number }, index) => layers.findIndex((other) => other.number === number) !== index);
  if (twice !== undefined) throw invalidImport(file, `names layer ${twice.number} twice`);
  return layers.sort((a, b) => a.number - b.number);
}
