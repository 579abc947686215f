import type { Architecture } from '../architectures/descriptor.ts';
import type { ConfigKey } from '../architectures/settings.ts';
import { StudioError } from '../base/errors.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';
import { applyEdits, type JsonNode, memberOf, parseJsonText, type TextEdit } from './json-text.ts';
import { quantisationEdits } from './quantisation-edit.ts';

/** Keys beside the count that repeat it in every entry (ERNIE's remote code). */
const REPEATING_KEYS: ConfigKey = ['moe_capacity'];

export interface ConfigEdit {
  readonly architecture: Architecture;
  /** E and E′. */
  readonly from: number;
  readonly to: number;
  readonly plan: PruningPlan;
  /** Set the count of further-token layers to 0. */
  readonly withoutNextToken: boolean;
}

function disagrees(key: string, found: string, from: number): StudioError {
  return new StudioError(
    'export',
    'config-disagrees',
    `config.json says ${key} = ${found}, but the model has ${from} experts a layer.`,
    {
      nextStep: `Remove or correct "${key}" in config.json, then open the model again.`,
      details: { file: 'config.json', key },
    },
  );
}

/** Edits of the entries of `node`, of which every one must be `from`; undefined when one is not. */
function countEdits(node: JsonNode, from: number, to: number): TextEdit[] | undefined {
  const entries = node.kind === 'array' ? node.items : [node];
  const edits: TextEdit[] = [];
  for (const entry of entries) {
    if (entry.kind !== 'value' || entry.value !== from) return undefined;
    edits.push({ start: entry.start, end: entry.end, text: String(to) });
  }
  return edits;
}

/** The objects of config.json that hold the model's keys: the language model's section and the top. */
function keyObjects(root: JsonNode, section: string | null): JsonNode[] {
  const inner = section === null ? undefined : memberOf(root, section);
  return inner === undefined ? [root] : [inner, root];
}

/**
 * config.json of the pruned model: the expert count under every one of its spellings that is present, in the language
 * model's section and at the top; with `withoutNextToken` the count of further-token layers; and the experts that the
 * quantisation section names. Every other character stays as it was, so numbers such as `1e-06` keep their spelling.
 * `text` is JSON that parses to an object.
 * @throws StudioError family `export`: `no-expert-count` when no spelling is there, `config-disagrees` when one that is
 * there is not E, `ambiguous-expert-names`.
 */
export function editConfig(text: string, edit: ConfigEdit): string {
  const { architecture, from, to, plan } = edit;
  const root = parseJsonText(text);
  const edits: TextEdit[] = [];
  const place = architecture.nextTokenLayers?.place;
  const experts = { plan, nextTokenPrefix: typeof place === 'object' ? place.prefix : undefined };
  let found = false;
  for (const object of keyObjects(root, architecture.section)) {
    for (const key of architecture.config.experts) {
      const node = memberOf(object, key);
      if (node === undefined || (node.kind === 'value' && node.value === null)) continue;
      const counts = countEdits(node, from, to);
      if (counts === undefined) throw disagrees(key, text.slice(node.start, node.end), from);
      edits.push(...counts);
      found = true;
    }
    for (const key of REPEATING_KEYS) {
      const node = memberOf(object, key);
      if (node !== undefined) edits.push(...(countEdits(node, from, to) ?? []));
    }
    if (edit.withoutNextToken) edits.push(...zeroEdits(object, architecture.nextTokenLayers?.count));
    for (const key of ['quantization_config', 'compression_config']) {
      const node = memberOf(object, key);
      if (node !== undefined) edits.push(...quantisationEdits(node, experts));
    }
  }
  if (!found) {
    const keys = architecture.config.experts.join(', ');
    throw new StudioError('export', 'no-expert-count', `config.json has none of the keys ${keys}.`, {
      nextStep: 'Check that the config.json belongs to this model, then open the model again.',
      details: { file: 'config.json' },
    });
  }
  return applyEdits(text, edits);
}

function zeroEdits(object: JsonNode, keys: ConfigKey | undefined): TextEdit[] {
  return (keys ?? []).flatMap((key): TextEdit[] => {
    const node = memberOf(object, key);
    return node?.kind === 'value' && typeof node.value === 'number'
      ? [{ start: node.start, end: node.end, text: '0' }]
      : [];
  });
}
