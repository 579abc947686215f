import type { CheckpointSummary, MoeLayerSummary } from '../checkpoint/summary.ts';
import {
  type DomainStatistics,
  emptyDomainStatistics,
  type LayerStatistics,
  STATISTIC_FIELDS,
} from '../saliency/layer-statistics.ts';
import { type CalibrationStatistics, serialiseStatistics } from '../saliency/statistics-file.ts';
import type { ForeignLayer, ForeignStatistics } from './foreign-statistics.ts';
import { matchLayers } from './match-layers.ts';
import { invalidImport, otherModelImport } from './refusals.ts';

export interface ImportedFile {
  readonly name: string;
  /** sha256 of its bytes: what stands for the text, which the file does not hold. */
  readonly hash: string;
}

/**
 * Statistics of another tool as the studio's own, for the open model: one domain named like the file. What the tool does
 * not measure is 0 and named in `imported.lacks`.
 *
 * @throws StudioError plan/other-model, plan/invalid-import; and of family calibration, as serialiseStatistics.
 */
export function toStatistics(
  file: ImportedFile,
  foreign: ForeignStatistics,
  summary: CheckpointSummary,
): { readonly statistics: CalibrationStatistics; readonly notes: readonly string[] } {
  const { pairs, notes } = matchLayers(file.name, foreign.layers, summary);
  const tokens = Math.max(...foreign.layers.map((layer) => layer.tokens));
  const statistics: CalibrationStatistics = {
    model: { architecture: summary.architecture, fingerprint: summary.fingerprint, source: summary.label },
    gate: foreign.gate,
    domains: [{ name: file.name, tokens, sequences: 0, hash: file.hash }],
    imported: { tool: foreign.tool, lacks: foreign.lacks },
    layers: pairs.map(([model, layer]) => toLayer(file.name, model, layer, summary)),
  };
  serialiseStatistics(statistics);
  const padded = pairs.find(([model, layer]) => expertsOf(layer) > model.experts);
  return {
    statistics,
    notes: [
      ...notes,
      ...foreign.notes,
      ...(padded === undefined
        ? []
        : [
            `It has room for ${expertsOf(padded[1])} experts a layer; those beyond ${padded[0].experts} were never used and are left out.`,
          ]),
      ...shortLayers(pairs, tokens),
    ],
  };
}

/** llama.cpp computes the last layer for the tokens alone whose outcome is asked for. */
function shortLayers(pairs: readonly (readonly [MoeLayerSummary, ForeignLayer])[], tokens: number): string[] {
  const short = pairs.filter(([, layer]) => layer.tokens < tokens);
  const [first] = short;
  if (first === undefined) return [];
  const more = short.length > 1 ? ` (and ${short.length - 1} more like it)` : '';
  return [
    `Layer ${first[0].layer} was measured on ${first[1].tokens} of ${tokens} tokens${more}: its scores say less.`,
  ];
}

function expertsOf({ sums }: ForeignLayer): number {
  return sums.get('count')?.length ?? 0;
}

function toLayer(
  file: string,
  model: MoeLayerSummary,
  layer: ForeignLayer,
  { label }: CheckpointSummary,
): LayerStatistics {
  const found = expertsOf(layer);
  const count = layer.sums.get('count') ?? new Float64Array(0);
  if (found < model.experts || count.subarray(model.experts).some((value) => value > 0)) {
    throw otherModelImport(file, label, `has ${found} experts in layer ${model.layer}, and the model ${model.experts}`);
  }
  const routed = count.reduce((sum, value) => sum + value, 0);
  if (routed !== layer.tokens * model.topK) {
    throw otherModelImport(
      file,
      label,
      `counts ${routed} routed tokens in layer ${model.layer}, and ${layer.tokens} tokens to ${model.topK} experts each make ${layer.tokens * model.topK}`,
    );
  }
  return {
    layer: model.layer,
    experts: model.experts,
    topK: model.topK,
    ...(model.groups === undefined ? {} : { groups: { ...model.groups } }),
    domains: [toDomain(file, model, layer)],
  };
}

function toDomain(file: string, model: MoeLayerSummary, layer: ForeignLayer): DomainStatistics {
  const domain: DomainStatistics = emptyDomainStatistics(model.experts);
  domain.tokens = layer.tokens;
  for (const field of STATISTIC_FIELDS) {
    const values = layer.sums.get(field);
    if (values === undefined) continue;
    for (let expert = 0; expert < model.experts; expert++) {
      const value = values[expert] ?? Number.NaN;
      const sound = Number.isFinite(value) && value >= 0 && (field !== 'count' || Number.isInteger(value));
      if (!sound) throw invalidImport(file, `holds ${value} for expert ${expert} of layer ${model.layer}`);
      domain[field][expert] = value;
    }
  }
  return domain;
}
