import { StudioError } from '../base/errors.ts';
import { hashText } from './hash-text.ts';
import {
  addDomainStatistics,
  type DomainStatistics,
  emptyDomainStatistics,
  type LayerStatistics,
  STATISTIC_FIELDS,
} from './layer-statistics.ts';
import type { CalibrationStatistics, DomainIdentity, ImportedStatistics } from './statistics-file.ts';

/** One text of a domain: the part of it that carries one hash, with the layers measured on it. */
interface MeasuredText {
  readonly identity: DomainIdentity;
  readonly layers: Map<number, DomainStatistics>;
}

type LayerShape = Pick<LayerStatistics, 'layer' | 'experts' | 'topK' | 'groups' | 'identityExperts'>;

/**
 * Unites runs over disjoint texts, disjoint layers, or both. Parts with the same domain and hash are the same text and
 * must have measured different layers; the same domain with another hash is more text and adds up, its hash becoming
 * the sha256 of the sorted hashes joined by newlines. The order of the parts changes nothing but the order of domains.
 *
 * @throws StudioError of family calibration: nothing-to-merge, other-model, other-gate, different-layers,
 *   text-counted-twice, incomplete-layers.
 */
export async function mergeStatistics(parts: readonly CalibrationStatistics[]): Promise<CalibrationStatistics> {
  const first = parts[0];
  if (first === undefined) {
    throw new StudioError('calibration', 'nothing-to-merge', 'There are no statistics to merge.', {
      nextStep: 'Name at least one *.stats.json.',
    });
  }
  const shapes = new Map<number, LayerShape>();
  const domains = new Map<string, Map<string, MeasuredText>>();
  for (const part of parts) {
    checkSameRun(first, part);
    for (const layer of part.layers) checkShape(shapes, layer);
    for (const [index, identity] of part.domains.entries()) {
      const texts = domains.get(identity.name) ?? new Map<string, MeasuredText>();
      domains.set(identity.name, texts);
      addLayers(texts, identity, part, index);
    }
  }
  const indices = [...shapes.keys()].sort((a, b) => a - b);
  for (const texts of domains.values()) for (const text of texts.values()) checkComplete(text, indices);

  const merged = new Map<string, readonly MeasuredText[]>();
  for (const [name, texts] of domains) merged.set(name, [...texts.values()].sort(byHash));
  const imported = mergedOrigin(parts);
  return {
    model: first.model,
    gate: first.gate,
    ...(imported === undefined ? {} : { imported }),
    domains: await Promise.all([...merged].map(([name, texts]) => mergedIdentity(name, texts))),
    layers: indices.flatMap((index) => {
      const shape = shapes.get(index);
      return shape === undefined ? [] : [mergedLayer(shape, [...merged.values()])];
    }),
  };
}

/** A sum with a part that lacks an array lacks it too. */
function mergedOrigin(parts: readonly CalibrationStatistics[]): ImportedStatistics | undefined {
  const origins = parts.flatMap(({ imported }) => imported ?? []);
  if (origins.length === 0) return undefined;
  const lacking = new Set(origins.flatMap(({ lacks }) => lacks));
  return {
    tool: [...new Set(origins.map(({ tool }) => tool))].sort().join(', '),
    lacks: STATISTIC_FIELDS.filter((field) => lacking.has(field)),
  };
}

function checkSameRun(first: CalibrationStatistics, part: CalibrationStatistics): void {
  if (part.model.fingerprint !== first.model.fingerprint) {
    throw new StudioError(
      'calibration',
      'other-model',
      `Statistics of two models cannot be merged: "${first.model.source}" and "${part.model.source}" differ.`,
      { nextStep: 'Merge only statistics that were measured on the same checkpoint.' },
    );
  }
  if (part.gate !== first.gate) {
    throw new StudioError(
      'calibration',
      'other-gate',
      `Statistics with gate "${first.gate}" and with gate "${part.gate}" cannot be merged: their sums mean different things.`,
      { nextStep: 'Calibrate one of them again with the other gate.' },
    );
  }
}

function checkShape(shapes: Map<number, LayerShape>, { domains: _, ...shape }: LayerStatistics): void {
  const { layer, experts, topK, groups, identityExperts } = shape;
  const known = shapes.get(layer);
  if (known === undefined) shapes.set(layer, shape);
  else if (
    known.experts !== experts ||
    known.topK !== topK ||
    known.identityExperts !== identityExperts ||
    known.groups?.count !== groups?.count
  ) {
    throw new StudioError(
      'calibration',
      'different-layers',
      `Layer ${layer} has ${known.experts} experts, top ${known.topK}, in one part and ${experts}, top ${topK}, in another.`,
      { nextStep: 'Merge only statistics that were measured on the same checkpoint.', details: { layer } },
    );
  }
}

function addLayers(
  texts: Map<string, MeasuredText>,
  identity: DomainIdentity,
  part: CalibrationStatistics,
  index: number,
): void {
  const text = texts.get(identity.hash) ?? { identity, layers: new Map<number, DomainStatistics>() };
  texts.set(identity.hash, text);
  for (const layer of part.layers) {
    const statistics = layer.domains[index];
    if (statistics === undefined) continue;
    if (text.layers.has(layer.layer)) {
      throw new StudioError(
        'calibration',
        'text-counted-twice',
        `Two parts measured layer ${layer.layer} on the same text of "${identity.name}": merging would count it twice.`,
        {
          nextStep: 'Leave one of the two files out.',
          details: { domain: identity.name, layer: layer.layer, hash: identity.hash },
        },
      );
    }
    text.layers.set(layer.layer, statistics);
  }
}

function checkComplete({ identity, layers }: MeasuredText, indices: readonly number[]): void {
  const missing = indices.filter((layer) => !layers.has(layer));
  if (missing.length === 0) return;
  throw new StudioError(
    'calibration',
    'incomplete-layers',
    `Layers ${missing.join(', ')} were not measured on all the text of "${identity.name}", as other layers were.`,
    {
      nextStep: 'Add the statistics that are missing to the files to merge, all in one go.',
      details: { domain: identity.name, hash: identity.hash, missing: missing.length },
    },
  );
}

function byHash(a: MeasuredText, b: MeasuredText): number {
  return a.identity.hash < b.identity.hash ? -1 : 1;
}

async function mergedIdentity(name: string, texts: readonly MeasuredText[]): Promise<DomainIdentity> {
  const only = texts[0];
  if (only !== undefined && texts.length === 1) return only.identity;
  return {
    name,
    tokens: texts.reduce((sum, { identity }) => sum + identity.tokens, 0),
    sequences: texts.reduce((sum, { identity }) => sum + identity.sequences, 0),
    hash: await hashText(texts.map(({ identity }) => identity.hash).join('\n')),
  };
}

function mergedLayer(shape: LayerShape, domains: readonly (readonly MeasuredText[])[]): LayerStatistics {
  return {
    ...shape,
    domains: domains.map((texts) => {
      const total = emptyDomainStatistics(shape.experts);
      for (const { layers } of texts) {
        const statistics = layers.get(shape.layer);
        if (statistics !== undefined) addDomainStatistics(total, statistics);
      }
      return total;
    }),
  };
}
