import * as z from 'zod/mini';
import { StudioError } from '../base/errors.ts';
import {
  domainIdentitySchema,
  gateSchema,
  modelIdentitySchema,
  readVersionedFile,
  refusal,
  type VersionedFileKind,
  versionedFileText,
  wholeNumberSchema,
} from '../base/versioned-file.ts';
import {
  type DomainStatistics,
  type LayerStatistics,
  STATISTIC_FIELDS,
  type StatisticField,
} from './layer-statistics.ts';

/** How the gate g of the statistics is taken: what the model multiplies by, or softmax over all experts renormalised over the chosen. */
export type GateMode = 'model' | 'reference';

/** Which checkpoint a file belongs to. */
export interface ModelIdentity {
  readonly architecture: string;
  /** sha256 over config facts and every tensor's name, dtype and shape: see core/checkpoint/fingerprint.ts. */
  readonly fingerprint: string;
  /** Where it was opened from, for people. */
  readonly source: string;
}

export interface DomainIdentity {
  readonly name: string;
  readonly tokens: number;
  readonly sequences: number;
  /** sha256 of the domain's token ids. */
  readonly hash: string;
}

/** Where statistics come from that another tool measured. */
export interface ImportedStatistics {
  /** Name of the tool. */
  readonly tool: string;
  /** Arrays that it does not measure: all 0, and no metric may read them. */
  readonly lacks: readonly StatisticField[];
}

/** The content of a `*.stats.json`, parsed: docs/formats.md. */
export interface CalibrationStatistics {
  readonly model: ModelIdentity;
  readonly gate: GateMode;
  readonly domains: readonly DomainIdentity[];
  /** Absent for what the studio measured itself. Layers of imported statistics may have seen fewer tokens than others. */
  readonly imported?: ImportedStatistics | undefined;
  /** Ascending by layer. */
  readonly layers: readonly LayerStatistics[];
}

const KIND: VersionedFileKind = {
  family: 'calibration',
  format: 'reap-studio/statistics',
  version: 1,
  noun: 'statistics',
  invalidCode: 'invalid-statistics',
  nextStep: 'Choose a *.stats.json that the studio wrote, or calibrate again.',
};

const counts = z.array(wholeNumberSchema);
const sums = z.array(z.number().check(z.nonnegative()));

const schema = z.strictObject({
  format: z.literal(KIND.format),
  version: z.literal(KIND.version),
  model: modelIdentitySchema,
  gate: gateSchema,
  domains: z.array(domainIdentitySchema).check(z.minLength(1)),
  imported: z.optional(
    z.strictObject({ tool: z.string().check(z.minLength(1)), lacks: z.array(z.enum(STATISTIC_FIELDS)) }),
  ),
  layers: z.array(
    z.strictObject({
      layer: wholeNumberSchema,
      experts: z.int().check(z.positive()),
      topK: z.int().check(z.positive()),
      groups: z.optional(
        z.strictObject({
          count: z.int().check(z.positive()),
          chosen: z.int().check(z.positive()),
          least: z.int().check(z.positive()),
        }),
      ),
      identityExperts: z.optional(z.int().check(z.positive())),
      domains: z.array(
        z.strictObject({
          tokens: wholeNumberSchema,
          count: counts,
          normSum: sums,
          gateSum: sums,
          gateNormSum: sums,
          gateNormSquaredSum: sums,
          maxAbs: sums,
        }),
      ),
    }),
  ),
});

/**
 * Reads a statistics file: docs/formats.md.
 *
 * @throws StudioError of family calibration: not-json, wrong-format, newer-version, invalid-statistics (naming the
 *   path), count-mismatch (naming layer and domain).
 */
export function parseStatistics(text: string): CalibrationStatistics {
  const { model, gate, domains, imported, layers } = readVersionedFile(text, KIND, schema);
  const statistics = {
    model,
    gate,
    domains,
    ...(imported === undefined ? {} : { imported }),
    layers: layers.map((layer) => ({ ...layer, domains: layer.domains.map(toTypedArrays) })),
  };
  checkStatistics(statistics);
  return statistics;
}

/**
 * The file's text. Equal statistics give equal bytes, and every f64 survives the round trip exactly.
 *
 * @throws as parseStatistics for statistics that it would refuse, and non-finite-statistics naming layer, domain and
 *   expert: JSON has no NaN.
 */
export function serialiseStatistics(statistics: CalibrationStatistics): string {
  checkStatistics(statistics);
  const { model, gate, domains, imported, layers } = statistics;
  return versionedFileText(
    {
      format: KIND.format,
      version: KIND.version,
      model: { architecture: model.architecture, fingerprint: model.fingerprint, source: model.source },
      gate,
      domains: domains.map(({ name, tokens, sequences, hash }) => ({ name, tokens, sequences, hash })),
      ...(imported === undefined ? {} : { imported: { tool: imported.tool, lacks: imported.lacks } }),
    },
    layers.map((layer) => ({
      layer: layer.layer,
      experts: layer.experts,
      topK: layer.topK,
      ...(layer.groups === undefined ? {} : { groups: layer.groups }),
      ...(layer.identityExperts === undefined ? {} : { identityExperts: layer.identityExperts }),
      domains: layer.domains.map((domain) => ({
        tokens: domain.tokens,
        count: [...domain.count],
        normSum: [...domain.normSum],
        gateSum: [...domain.gateSum],
        gateNormSum: [...domain.gateNormSum],
        gateNormSquaredSum: [...domain.gateNormSquaredSum],
        maxAbs: [...domain.maxAbs],
      })),
    })),
  );
}

type ParsedDomain = z.output<typeof schema>['layers'][number]['domains'][number];

function toTypedArrays(domain: ParsedDomain): DomainStatistics {
  return {
    tokens: domain.tokens,
    count: Float64Array.from(domain.count),
    normSum: Float64Array.from(domain.normSum),
    gateSum: Float64Array.from(domain.gateSum),
    gateNormSum: Float64Array.from(domain.gateNormSum),
    gateNormSquaredSum: Float64Array.from(domain.gateNormSquaredSum),
    maxAbs: Float64Array.from(domain.maxAbs),
  };
}

/** What the schema cannot say: order, lengths, finite values, and counts that add up. */
function checkStatistics({ domains, imported, layers }: CalibrationStatistics): void {
  const names = new Set(domains.map((domain) => domain.name));
  if (names.size < domains.length) throw refusal(KIND, 'domains', 'lists a name twice');
  let previous = -1;
  for (const [row, layer] of layers.entries()) {
    const path = `layers[${row}]`;
    if (layer.layer <= previous) throw refusal(KIND, `${path}.layer`, 'must be above the layer before it');
    previous = layer.layer;
    if (layer.topK > layer.experts) throw refusal(KIND, `${path}.topK`, 'is more than the experts of the layer');
    if (layer.domains.length !== domains.length) {
      throw refusal(KIND, `${path}.domains`, `must hold ${domains.length} domains, as the file's head does`);
    }
    for (const [index, statistics] of layer.domains.entries()) {
      checkDomain(layer, statistics, `${path}.domains[${index}]`, domains[index], imported !== undefined);
    }
  }
}

function checkDomain(
  layer: LayerStatistics,
  statistics: DomainStatistics,
  path: string,
  identity: DomainIdentity | undefined,
  imported: boolean,
): void {
  const name = identity?.name ?? '';
  for (const field of STATISTIC_FIELDS) {
    const values = statistics[field];
    if (values.length !== layer.experts) {
      throw refusal(KIND, `${path}.${field}`, `must hold ${layer.experts} numbers, one an expert`);
    }
    const expert = values.findIndex((value) => !Number.isFinite(value));
    if (expert >= 0) throw nonFinite(layer.layer, name, field, expert);
    const stray = values.findIndex((value, index) => value !== 0 && statistics.count[index] === 0);
    if (stray >= 0) throw refusal(KIND, `${path}.${field}[${stray}]`, 'must be 0: that expert was never chosen');
  }
  const routed = statistics.count.reduce((sum, value) => sum + value, 0);
  const expected = statistics.tokens * layer.topK;
  const addsUp = layer.identityExperts === undefined ? routed === expected : routed <= expected;
  const tokens = identity?.tokens ?? 0;
  const tokensFit = imported ? statistics.tokens <= tokens : statistics.tokens === tokens;
  if (!addsUp || !tokensFit) {
    throw new StudioError(
      'calibration',
      'count-mismatch',
      `Layer ${layer.layer} counts ${routed} routed tokens of "${name}", but ${tokens} tokens to ` +
        `${layer.topK} experts each make ${tokens * layer.topK}.`,
      {
        nextStep: KIND.nextStep,
        details: { layer: layer.layer, domain: name, routed, tokens: statistics.tokens, topK: layer.topK },
      },
    );
  }
}

function nonFinite(layer: number, domain: string, field: string, expert: number): StudioError {
  return new StudioError(
    'calibration',
    'non-finite-statistics',
    `Expert ${expert} of layer ${layer} has a ${field} over "${domain}" that is not a finite number.`,
    {
      nextStep:
        'Check that the checkpoint is whole, or calibrate again on another backend: half precision can overflow.',
      details: { layer, domain, field, expert },
    },
  );
}
