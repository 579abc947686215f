import type { Architecture, RouterSpec } from '../architectures/descriptor.ts';
import type { ReadonlyJsonObject } from '../base/json.ts';
import type { Router } from '../routing/router.ts';
import { ConfigReader, refuseConfig } from './config-reader.ts';
import { type Mixer, readMixer } from './mixer-config.ts';

/** What one layer is made of. */
export interface LayerPlan {
  readonly mixer: Mixer | undefined;
  readonly moe: boolean;
  readonly dense: boolean;
}

/** config.json read through an architecture's keys: the numbers a forward pass needs, checked. */
export interface ModelConfig {
  readonly modelType: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly maxPositions: number;
  readonly normEpsilon: number;
  /** Routed experts E of a layer, experts K chosen per token, inner width I of an expert. */
  readonly experts: number;
  readonly topK: number;
  readonly expertWidth: number;
  readonly denseWidth: number;
  /** Inner width of the shared expert; 0 without one. */
  readonly sharedWidth: number;
  readonly tiedEmbeddings: boolean;
  readonly multipliers: { readonly embedding: number; readonly residual: number; readonly logitsDivisor: number };
  readonly router: Router;
  readonly correctionBias: boolean;
  readonly gateOn: 'output' | 'input';
  readonly activation: { readonly kind: Architecture['experts']['activation']; readonly limit: number };
  readonly layerPlans: readonly LayerPlan[];
  /** Layers that predict further tokens, as config.json counts them; their tensors may be absent all the same. */
  readonly nextTokenLayers: number;
}

const ACTIVATIONS = {
  silu: ['silu', 'swish', 'swiglu'],
  'clamped-swiglu': ['silu', 'swish', 'swiglu'],
  'relu-squared': ['relu2'],
} as const;

function checkActivation(config: ConfigReader, architecture: Architecture): void {
  const keys = ['mlp_hidden_act', 'hidden_act', 'hidden_activation', 'activation'] as const;
  const activation = keys.map((key) => config.value([key])).find((value) => value !== undefined);
  const accepted: readonly string[] = ACTIVATIONS[architecture.experts.activation];
  if (activation === undefined || accepted.includes(String(activation))) return;
  throw refuseConfig(
    'unsupported-activation',
    `The experts use the activation "${String(activation).slice(0, 80)}", which ${architecture.label} models do not.`,
    'Check that config.json belongs to these weights.',
    'hidden_act',
  );
}

function readRouter(config: ConfigReader, spec: RouterSpec, experts: number, topK: number): Router {
  const grouped =
    spec.groups !== null &&
    (spec.groups.when === null || config.value(spec.groups.when.key) === spec.groups.when.equals)
      ? spec.groups
      : undefined;
  const count = grouped === undefined ? 1 : config.setting(grouped.count);
  if (!Number.isInteger(count) || count < 1 || experts % count !== 0) {
    throw refuseConfig(
      'bad-config',
      `config.json divides ${experts} experts into ${count} groups, which cannot be.`,
      'Compare config.json with the original repository.',
      grouped?.count.key?.[0],
    );
  }
  return {
    scoring: spec.scoring,
    topK,
    experts,
    identityExperts: config.setting(spec.identityExperts),
    groups:
      grouped === undefined || count === 1
        ? undefined
        : { count, chosen: config.setting(grouped.chosen), score: grouped.score },
    renormalise: config.flag(spec.renormalise),
    sumEpsilon: spec.sumEpsilon,
    sumFloor: config.setting(spec.sumFloor),
    scale: config.setting(spec.scale),
    jitter: config.setting(spec.jitter),
  };
}

function sharedWidthOf(config: ConfigReader, architecture: Architecture, expertWidth: number): number {
  const { shared } = architecture;
  if (shared === null) return 0;
  if ('key' in shared.width) return config.integer(shared.width.key, 0, 0);
  return config.integer(shared.width.count, 0, 0) * expertWidth;
}

function readLayers(
  config: ConfigReader,
  architecture: Architecture,
  hiddenSize: number,
  maxPositions: number,
): LayerPlan[] {
  const layers = config.count(architecture.config.layers);
  const { mixers, moeLayers, denseLayers } = architecture;
  return Array.from({ length: layers }, (_, layer): LayerPlan => {
    const spec = mixers.find((rule) => config.holds(rule.layers, layer, layers))?.mixer;
    const moe = config.holds(moeLayers, layer, layers);
    return {
      mixer: spec === undefined ? undefined : readMixer({ config, hiddenSize, maxPositions, layer, layers }, spec),
      moe,
      dense:
        architecture.layerOrder === 'shortcut' ||
        (denseLayers === null ? !moe : config.holds(denseLayers, layer, layers)),
    };
  });
}

/**
 * Reads the numbers of config.json that `architecture` names.
 * @throws StudioError family `checkpoint`: `bad-config`, `conflicting-config`, `unsupported-activation`.
 */
export function readModelConfig(json: ReadonlyJsonObject, architecture: Architecture): ModelConfig {
  const config = ConfigReader.of(json, architecture.section);
  const { config: keys } = architecture;
  checkActivation(config, architecture);
  const hiddenSize = config.integer(keys.hiddenSize);
  const maxPositions = config.integer(keys.maxPositions);
  const experts = config.integer(keys.experts);
  const topK = config.integer(keys.topK);
  if (topK > experts) {
    throw refuseConfig(
      'bad-config',
      `config.json routes each token to ${topK} of ${experts} experts.`,
      'Compare config.json with the original repository.',
      keys.topK[0],
    );
  }
  const layerPlans = readLayers(config, architecture, hiddenSize, maxPositions);
  const expertWidth = config.integer(keys.expertWidth);
  const { multipliers, nextTokenLayers } = architecture;
  return {
    modelType: String(json.model_type),
    layers: layerPlans.length,
    hiddenSize,
    vocabularySize: config.integer(keys.vocabularySize),
    maxPositions,
    normEpsilon: config.number(keys.normEpsilon) ?? 1e-6,
    experts,
    topK,
    expertWidth,
    denseWidth: config.integer(keys.denseWidth, expertWidth),
    sharedWidth: sharedWidthOf(config, architecture, expertWidth),
    tiedEmbeddings: config.flag(architecture.tiedEmbeddings),
    multipliers: {
      embedding: config.setting(multipliers.embedding),
      residual: config.setting(multipliers.residual),
      logitsDivisor: config.setting(multipliers.logitsDivisor),
    },
    router: readRouter(config, architecture.router, experts, topK),
    correctionBias: config.flag(architecture.router.correctionBias),
    gateOn: architecture.router.gateOn,
    activation: { kind: architecture.experts.activation, limit: config.setting(architecture.experts.limit) },
    layerPlans,
    nextTokenLayers: nextTokenLayers === null ? 0 : config.integer(nextTokenLayers.count, 0, 0),
  };
}
