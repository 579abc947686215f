import { StudioError } from '../base/errors.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { type JsonNode, removeEntries, type TextEdit } from './json-text.ts';

/** `…layers.3.…experts.17.…`, plainly or as a regular expression that escapes its dots. */
const EXPERT = /(?<![A-Za-z_])experts\\?\.(\d+)(?=\\?\.|\$?$)/d;
/** A regular expression over several experts: `experts.(0|1)`, `experts.[0-3]`. */
const SEVERAL = /(?<![A-Za-z_])experts\\?\.(?:\((?:\d+\|?)+\)|\[(?!0-9\][+*])[^\]]*\d[^\]]*\])/;
const LAYER = /(?<![A-Za-z_])layers\\?\.(\d+)\\?\./;

/** The plan, and where the layers that predict further tokens have their names. */
export interface NamedExperts {
  readonly plan: PruningPlan;
  /** Prefix of those layers' names, e.g. `mtp.`; undefined when they follow the model's own. */
  readonly nextTokenPrefix: string | undefined;
}

type Fate = { readonly kind: 'keep' } | { readonly kind: 'drop' } | { readonly kind: 'rename'; readonly to: string };

/** What becomes of an entry that may name an expert. @throws StudioError `ambiguous-expert-names`. */
function fateOf(entry: string, { plan, nextTokenPrefix }: NamedExperts): Fate {
  if (SEVERAL.test(entry)) throw ambiguous(entry, 'several experts at once');
  const match = EXPERT.exec(entry);
  const span = match?.indices?.[1];
  if (match === null || span === undefined) return { kind: 'keep' };
  const expert = Number(match[1]);
  const layer = LAYER.exec(entry)?.[1];
  const last = plan.layers.at(-1);
  const plainly = entry.replace(/^re:\^?/, '').replaceAll('\\', '');
  const further =
    (nextTokenPrefix !== undefined && plainly.startsWith(nextTokenPrefix)) || Number(layer) > (last?.layer ?? 0);
  if (further && last !== undefined) return renamed(entry, span, last.keep.indexOf(expert));
  if (layer !== undefined) {
    const keep = plan.layers.find((row) => row.layer === Number(layer))?.keep;
    return keep === undefined ? { kind: 'keep' } : renamed(entry, span, keep.indexOf(expert));
  }
  const fates = new Set(plan.layers.map(({ keep }) => keep.indexOf(expert)));
  const [only] = fates;
  if (fates.size === 1 && only !== undefined) return renamed(entry, span, only);
  throw ambiguous(entry, `expert ${expert} of every layer`);
}

function ambiguous(entry: string, what: string): StudioError {
  return new StudioError(
    'export',
    'ambiguous-expert-names',
    `The quantisation section of config.json names ${what} ("${entry}"), but the layers keep different experts.`,
    {
      nextStep: 'Name each expert with its layer in that section, or remove the entry, then open the model again.',
      details: { file: 'config.json', entry },
    },
  );
}

function renamed(entry: string, [start, end]: readonly [number, number], index: number): Fate {
  return index < 0 ? { kind: 'drop' } : { kind: 'rename', to: `${entry.slice(0, start)}${index}${entry.slice(end)}` };
}

/** What becomes of an entry's own text, and the edits inside it where it stays. */
interface Entry {
  readonly start: number;
  readonly end: number;
  readonly fate: Fate;
  readonly name: { readonly start: number; readonly end: number };
  readonly inner: JsonNode | undefined;
}

function entriesOf(node: Exclude<JsonNode, { kind: 'value' }>, experts: NamedExperts): Entry[] {
  if (node.kind === 'object') {
    return node.members.map(({ key, keyStart, keyEnd, value }) => ({
      start: keyStart,
      end: value.end,
      fate: fateOf(key, experts),
      name: { start: keyStart, end: keyEnd },
      inner: value,
    }));
  }
  return node.items.map((item) => ({
    start: item.start,
    end: item.end,
    fate: item.kind === 'value' && typeof item.value === 'string' ? fateOf(item.value, experts) : { kind: 'keep' },
    name: item,
    inner: item.kind === 'value' ? undefined : item,
  }));
}

/**
 * Edits of a quantisation section: entries of lists and keys of objects that name a dropped expert go, those of kept ones
 * are renumbered, at every depth.
 * @throws StudioError family `export` code `ambiguous-expert-names`.
 */
export function quantisationEdits(node: JsonNode, experts: NamedExperts): TextEdit[] {
  if (node.kind === 'value') return [];
  const entries = entriesOf(node, experts);
  const gone = entries.map(({ fate }) => fate.kind === 'drop');
  const inside = entries.flatMap(({ fate, name, inner }): TextEdit[] => [
    ...(fate.kind === 'rename' ? [{ start: name.start, end: name.end, text: JSON.stringify(fate.to) }] : []),
    ...(fate.kind === 'drop' || inner === undefined ? [] : quantisationEdits(inner, experts)),
  ]);
  return [...removeEntries(node, entries, gone), ...inside];
}
