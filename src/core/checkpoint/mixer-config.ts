import type {
  GatedDeltaNet,
  GroupedQueryAttention,
  LatentAttention,
  MixerSpec,
  SelectiveScan,
  ShortConvolution,
} from '../architectures/mixers.ts';
import { type ConfigReader, refuseConfig } from './config-reader.ts';
import { type Rotary, readRotary, ropeObject, rotates, yarnScale } from './rope-config.ts';

/** Numbers of one layer's grouped-query attention. */
export interface GroupedQueryMixer {
  readonly kind: 'grouped-query';
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly queryKeyValueBias: boolean;
  readonly outputBias: boolean;
  readonly queryKeyNorm:
    | {
        readonly over: 'head' | 'projection';
        readonly place: 'before-rotation' | 'after-rotation';
        readonly unit: boolean;
      }
    | undefined;
  readonly rotary: Rotary | undefined;
  readonly scale: number;
  readonly clip: number | undefined;
  readonly window: number | undefined;
  readonly chunk: number | undefined;
  readonly sinks: boolean;
  readonly outputGate: boolean;
  readonly temperature: { readonly scale: number; readonly floor: number } | undefined;
}

/** Numbers of one layer's latent attention; `queryRank` undefined: one query projection. */
export interface LatentMixer {
  readonly kind: 'latent';
  readonly heads: number;
  readonly queryRank: number | undefined;
  readonly keyValueRank: number;
  readonly nopeDim: number;
  readonly ropeDim: number;
  readonly valueDim: number;
  readonly bias: boolean;
  readonly rotary: Rotary;
  readonly scale: number;
  /** Epsilon of the latents' norms. */
  readonly normEpsilon: number;
  /** Factors of the queries and of the normed latent keys. */
  readonly queryFactor: number;
  readonly keyValueFactor: number;
}

export interface DeltaNetMixer {
  readonly kind: 'gated-delta-net';
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly kernel: number;
  readonly projections: 'joint' | 'separate';
}

export interface ConvolutionMixer {
  readonly kind: 'short-convolution';
  readonly kernel: number;
  readonly bias: boolean;
}

export interface ScanMixer {
  readonly kind: 'selective-scan';
  readonly heads: number;
  readonly headDim: number;
  readonly groups: number;
  readonly state: number;
  readonly kernel: number;
  readonly convolutionBias: boolean;
  readonly projectionBias: boolean;
  /** Least time step after softplus. */
  readonly leastStep: number;
}

export type Mixer = GroupedQueryMixer | LatentMixer | DeltaNetMixer | ConvolutionMixer | ScanMixer;

export interface MixerSite {
  readonly config: ConfigReader;
  readonly hiddenSize: number;
  readonly maxPositions: number;
  readonly layer: number;
  readonly layers: number;
}

function groupedQuery(site: MixerSite, spec: GroupedQueryAttention): GroupedQueryMixer {
  const { config, layer, layers } = site;
  const heads = config.integer(spec.heads);
  const keyValueHeads = config.integer(spec.keyValueHeads, heads);
  const headDim = config.integer(spec.headDim, site.hiddenSize / heads);
  if (heads % keyValueHeads !== 0 || headDim % 2 !== 0) {
    throw refuseConfig(
      'bad-config',
      `config.json has ${heads} heads of ${headDim} over ${keyValueHeads} key heads, which cannot be.`,
      'Compare config.json with the original repository.',
      spec.heads[0],
    );
  }
  const turns = spec.rotary !== null && rotates(config, spec.rotary, layer);
  const norm = spec.queryKeyNorm;
  const normed = norm !== null && config.flag(norm.enabled) && (turns || !norm.rotatedLayersOnly);
  const { window, temperature } = spec;
  const windowed = window !== null && config.flag(window.enabled) && config.holds(window.layers, layer, layers);
  return {
    kind: 'grouped-query',
    heads,
    keyValueHeads,
    headDim,
    queryKeyValueBias: config.flag(spec.queryKeyValueBias),
    outputBias: config.flag(spec.outputBias),
    queryKeyNorm: normed ? { over: norm.over, place: norm.place, unit: norm.unit } : undefined,
    rotary: spec.rotary !== null && turns ? readRotary(config, spec.rotary, headDim, site.maxPositions) : undefined,
    scale: (spec.scale === null ? undefined : config.number(spec.scale)) ?? 1 / Math.sqrt(headDim),
    clip: (spec.clip === null ? undefined : config.number(spec.clip)) || undefined,
    window: windowed ? config.number(window.size) || undefined : undefined,
    chunk: spec.chunk !== null && turns ? config.number(spec.chunk) || undefined : undefined,
    sinks: spec.sinks,
    outputGate: spec.outputGate,
    temperature:
      temperature !== null && !turns && config.flag(temperature.enabled)
        ? { scale: config.setting(temperature.scale), floor: config.setting(temperature.floor) }
        : undefined,
  };
}

/** YaRN's m² on the scores (DeepSeek): config.json's `mscale_all_dim` with its factor, 1 without. */
function scoreScale(config: ConfigReader): number {
  const rope = ropeObject(config);
  const { factor, mscale_all_dim: all } = rope;
  const scaled = String(rope['rope_type'] ?? rope['type'] ?? 'default') !== 'default';
  return scaled && typeof factor === 'number' && typeof all === 'number' && all !== 0 ? yarnScale(factor, all) ** 2 : 1;
}

function latent(site: MixerSite, spec: LatentAttention): LatentMixer {
  const { config, hiddenSize } = site;
  const ropeDim = config.integer(spec.ropeDim);
  const nopeDim = config.integer(spec.nopeDim, undefined, 0);
  const queryRank = config.number(spec.queryRank) || undefined;
  const keyValueRank = config.integer(spec.keyValueRank);
  const rotary = readRotary(config, spec.rotary, ropeDim, site.maxPositions);
  const interleaved = spec.interleave === null ? undefined : config.flag(spec.interleave);
  const scaled = (flag: boolean | undefined, rank: number | undefined): number =>
    flag === true && rank !== undefined ? Math.sqrt(hiddenSize / rank) : 1;
  return {
    kind: 'latent',
    heads: config.integer(spec.heads),
    queryRank,
    keyValueRank,
    nopeDim,
    ropeDim,
    valueDim: config.integer(spec.valueDim),
    bias: config.flag(spec.bias),
    normEpsilon: spec.normEpsilon,
    rotary: interleaved === undefined ? rotary : { ...rotary, style: interleaved ? 'interleaved' : 'halves' },
    scale: scoreScale(config) / Math.sqrt(nopeDim + ropeDim),
    queryFactor: scaled(spec.rankScale === null ? false : config.flag(spec.rankScale.query), queryRank),
    keyValueFactor: scaled(spec.rankScale === null ? false : config.flag(spec.rankScale.keyValue), keyValueRank),
  };
}

function deltaNet({ config }: MixerSite, spec: GatedDeltaNet): DeltaNetMixer {
  return {
    kind: 'gated-delta-net',
    keyHeads: config.integer(spec.keyHeads),
    valueHeads: config.integer(spec.valueHeads),
    keyDim: config.integer(spec.keyDim),
    valueDim: config.integer(spec.valueDim),
    kernel: config.integer(spec.kernel),
    projections: spec.projections,
  };
}

function convolution({ config }: MixerSite, spec: ShortConvolution): ConvolutionMixer {
  return { kind: 'short-convolution', kernel: config.integer(spec.kernel), bias: config.flag(spec.bias) };
}

function scan({ config }: MixerSite, spec: SelectiveScan): ScanMixer {
  return {
    kind: 'selective-scan',
    heads: config.integer(spec.heads),
    headDim: config.integer(spec.headDim),
    groups: config.integer(spec.groups),
    state: config.integer(spec.state),
    kernel: config.integer(spec.kernel),
    convolutionBias: config.flag(spec.convolutionBias),
    projectionBias: config.flag(spec.projectionBias),
    leastStep: config.setting(spec.leastStep),
  };
}

/** Resolves a mixer's keys for one layer. @throws StudioError `bad-config`, `conflicting-config`. */
export function readMixer(site: MixerSite, spec: MixerSpec): Mixer {
  switch (spec.kind) {
    case 'grouped-query':
      return groupedQuery(site, spec);
    case 'latent':
      return latent(site, spec);
    case 'gated-delta-net':
      return deltaNet(site, spec);
    case 'short-convolution':
      return convolution(site, spec);
    case 'selective-scan':
      return scan(site, spec);
  }
}
