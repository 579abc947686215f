import type { Architecture, ProjectionNames } from '../architectures/descriptor.ts';
import type { PartName } from '../architectures/tensor-parts.ts';
import { StudioError } from '../base/errors.ts';
import type { MlpKind } from './checkpoint.ts';
import { expectedMixer, type PartShape } from './expected-mixer.ts';
import type { ModelConfig } from './model-config.ts';
import { patternName } from './tensor-patterns.ts';
import type { WeightKey } from './weight-table.ts';

/** A weight or bias that a forward pass reads, with the logical shape that config.json implies. */
export interface ExpectedTensor {
  readonly key: WeightKey;
  /** Its name in the family's first spelling, unquantised. */
  readonly name: string;
  readonly bias: boolean;
  readonly shape: readonly number[];
}

/** Parts that are parameters of their own, without `.weight`. */
const BARE: ReadonlySet<PartName> = new Set<PartName>([
  'sinks',
  'correction-bias',
  'delta-time-bias',
  'delta-decay',
  'scan-time-bias',
  'scan-decay',
  'scan-skip',
]);

/** A part with its name filled in. @throws StudioError `incomplete-descriptor` when the descriptor has no name for it. */
function expectedPart(
  { tensors, id }: Architecture,
  { part, shape, bias = false }: PartShape,
  layer?: number,
  step = 0,
): ExpectedTensor {
  const pattern = tensors[part];
  if (pattern === undefined) {
    throw new StudioError(
      'checkpoint',
      'incomplete-descriptor',
      `The descriptor "${id}" names no tensor for "${part}", which these layers need.`,
      {
        nextStep: `Add "${part}" to the descriptor's tensors, or correct the kind of mixer, norm or router that needs it.`,
        details: { descriptor: id, part },
      },
    );
  }
  const module = patternName(pattern, layer ?? 0, 0, step);
  const name = bias ? `${module}.bias` : BARE.has(part) ? module : `${module}.weight`;
  return { key: { part, step, ...(layer === undefined ? {} : { layer }) }, name, bias, shape };
}

const PROJECTIONS = ['gate', 'up', 'down'] as const;

function* projections(
  names: ProjectionNames,
  width: number,
  hidden: number,
  at: { readonly layer: number; readonly step?: number; readonly expert?: number; readonly mlp?: MlpKind },
): Generator<ExpectedTensor> {
  for (const projection of PROJECTIONS) {
    const pattern = names[projection];
    if (pattern === null) continue;
    const { layer, step = 0, expert, mlp } = at;
    const key: WeightKey =
      mlp === undefined ? { expert: expert ?? 0, projection, layer } : { mlp, projection, layer, step };
    yield {
      key,
      name: `${patternName(pattern, layer, expert, step)}.weight`,
      bias: false,
      shape: projection === 'down' ? [hidden, width] : [width, hidden],
    };
  }
}

function* norm(
  architecture: Architecture,
  part: PartName,
  hidden: number,
  layer?: number,
  step = 0,
): Generator<ExpectedTensor> {
  yield expectedPart(architecture, { part, shape: [hidden] }, layer, step);
  if (architecture.norm === 'layer')
    yield expectedPart(architecture, { part, shape: [hidden], bias: true }, layer, step);
}

function* moeTensors(architecture: Architecture, config: ModelConfig, layer: number): Generator<ExpectedTensor> {
  const { hiddenSize: hidden, experts, router } = config;
  const rows = experts + router.identityExperts;
  yield expectedPart(architecture, { part: 'router', shape: [rows, hidden] }, layer);
  if (config.correctionBias) yield expectedPart(architecture, { part: 'correction-bias', shape: [rows] }, layer);
  const { shared } = architecture;
  if (shared !== null && config.sharedWidth > 0) {
    yield* projections(shared.names, config.sharedWidth, hidden, { layer, mlp: 'shared' });
    if (shared.gated) yield expectedPart(architecture, { part: 'shared-expert-gate', shape: [1, hidden] }, layer);
  }
}

/** Each expert's projections of a layer, for checkpoints that store them one by one. */
export function* expectedExperts(
  architecture: Architecture,
  config: ModelConfig,
  layer: number,
): Generator<ExpectedTensor> {
  const names = architecture.experts.perExpert;
  if (names === null) return;
  for (let expert = 0; expert < config.experts; expert++) {
    yield* projections(names, config.expertWidth, config.hiddenSize, { layer, expert });
  }
}

/** Every tensor that the forward pass of this model reads but the routed experts', layer by layer. */
export function* expectedTensors(architecture: Architecture, config: ModelConfig): Generator<ExpectedTensor> {
  const table = [config.vocabularySize, config.hiddenSize];
  yield expectedPart(architecture, { part: 'embedding', shape: table });
  yield* norm(architecture, 'final-norm', config.hiddenSize);
  if (!config.tiedEmbeddings) yield expectedPart(architecture, { part: 'head', shape: table });
  const steps = architecture.layerOrder === 'shortcut' ? 2 : 1;
  for (const [layer, { mixer, moe, dense }] of config.layerPlans.entries()) {
    for (let step = 0; step < steps; step++) {
      if (mixer !== undefined) {
        yield* norm(architecture, 'input-norm', config.hiddenSize, layer, step);
        for (const part of expectedMixer(mixer, config.hiddenSize)) yield expectedPart(architecture, part, layer, step);
      }
      if (moe || dense) {
        const place = mixer === undefined ? 'input-norm' : 'post-attention-norm';
        yield* norm(architecture, place, config.hiddenSize, layer, step);
      }
      if (dense && architecture.dense !== null) {
        yield* projections(architecture.dense, config.denseWidth, config.hiddenSize, { layer, step, mlp: 'dense' });
      }
    }
    if (moe) yield* moeTensors(architecture, config, layer);
  }
}
