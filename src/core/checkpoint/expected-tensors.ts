import type { Architecture, ReadonlyJsonObject } from '../architectures/descriptor.ts';
import type { ModelConfig } from './model-config.ts';
import { tensorName } from './tensor-roles.ts';

/** A tensor that a forward pass reads, with the shape that config.json implies. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

function* layerTensors(architecture: Architecture, config: ModelConfig, layer: number): Generator<ExpectedTensor> {
  const { tensors, attention } = architecture;
  const { hiddenSize: hidden, attention: heads } = config;
  const queryWidth = heads.heads * heads.headDim;
  const keyWidth = heads.keyValueHeads * heads.headDim;
  yield { name: tensorName(tensors.inputNorm, layer), shape: [hidden] };
  yield { name: tensorName(tensors.postAttentionNorm, layer), shape: [hidden] };
  const projections = [
    [tensors.query, queryWidth, hidden],
    [tensors.key, keyWidth, hidden],
    [tensors.value, keyWidth, hidden],
    [tensors.output, hidden, queryWidth],
  ] as const;
  for (const [pattern, rows, columns] of projections) {
    yield { name: `${tensorName(pattern, layer)}.weight`, shape: [rows, columns] };
    if (heads.bias) yield { name: `${tensorName(pattern, layer)}.bias`, shape: [rows] };
  }
  if (attention.queryKeyNorm === 'per-head') {
    yield { name: tensorName(tensors.queryNorm, layer), shape: [heads.headDim] };
    yield { name: tensorName(tensors.keyNorm, layer), shape: [heads.headDim] };
  }
}

function* mlpTensors(
  names: Architecture['tensors']['dense'],
  width: number,
  hidden: number,
  layer: number,
  expert: number,
): Generator<ExpectedTensor> {
  yield { name: `${tensorName(names.gate, layer, expert)}.weight`, shape: [width, hidden] };
  yield { name: `${tensorName(names.up, layer, expert)}.weight`, shape: [width, hidden] };
  yield { name: `${tensorName(names.down, layer, expert)}.weight`, shape: [hidden, width] };
}

/** Every tensor that the forward pass of this model reads, layer by layer. */
export function* expectedTensors(
  architecture: Architecture,
  config: ModelConfig,
  json: ReadonlyJsonObject,
): Generator<ExpectedTensor> {
  const { tensors } = architecture;
  const table = [config.vocabularySize, config.hiddenSize];
  yield { name: tensors.embedding, shape: table };
  yield { name: tensors.finalNorm, shape: [config.hiddenSize] };
  if (!config.tiedEmbeddings) yield { name: tensors.head, shape: table };
  for (let layer = 0; layer < config.layers; layer++) {
    yield* layerTensors(architecture, config, layer);
    if (!architecture.isMoeLayer(layer, json)) {
      yield* mlpTensors(tensors.dense, config.denseWidth, config.hiddenSize, layer, 0);
      continue;
    }
    yield { name: tensorName(tensors.router, layer), shape: [config.experts, config.hiddenSize] };
    for (let expert = 0; expert < config.experts; expert++) {
      yield* mlpTensors(tensors.experts, config.expertWidth, config.hiddenSize, layer, expert);
    }
  }
}
