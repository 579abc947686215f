import type { PartName } from '../architectures/tensor-parts.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { expectedTensors } from '../checkpoint/expected-tensors.ts';
import { decodeStored, readStored } from '../checkpoint/read-weights.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import { inputName } from '../onnx/layer-inputs.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';
import { isOutsideParameter } from './outside-projections.ts';

/** Weights of one step of a layer outside its MLPs. */
export interface StepWeights {
  /** With the backend, by graph input. */
  readonly inputs: Readonly<Record<string, BackendTensor>>;
  /** What mixers on the host compute with, as f32 by graph input. */
  readonly host: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

export interface LayerWeights {
  readonly steps: readonly StepWeights[];
  /** [E + identity experts], or undefined where the family has none. */
  readonly correctionBias: Float32Array<ArrayBuffer> | undefined;
}

/** The family's parts of one layer, from the whole model's list; made once a checkpoint. */
const partsByLayer = new WeakMap<Checkpoint, ReadonlyMap<number, readonly LayerPart[]>>();

interface LayerPart {
  readonly part: PartName;
  readonly step: number;
  readonly bias: boolean;
}

function partsOf(checkpoint: Checkpoint, layer: number): readonly LayerPart[] {
  let known = partsByLayer.get(checkpoint);
  if (known === undefined) {
    const parts = new Map<number, LayerPart[]>();
    for (const { key, bias } of expectedTensors(checkpoint.architecture, checkpoint.config)) {
      if (!('part' in key) || key.layer === undefined) continue;
      const list = parts.get(key.layer) ?? [];
      list.push({ part: key.part, step: key.step ?? 0, bias });
      parts.set(key.layer, list);
    }
    const table = weightTable(checkpoint);
    for (const [at, list] of parts) {
      // A router's bias is not told by config.json.
      if (table.bias({ part: 'router', layer: at }) !== undefined) list.push({ part: 'router', step: 0, bias: true });
    }
    known = parts;
    partsByLayer.set(checkpoint, known);
  }
  return known.get(layer) ?? [];
}

/** Reads and uploads what a layer's first halves need. The caller disposes of the tensors. */
export async function loadLayerWeights(
  backend: InferenceBackend,
  checkpoint: Checkpoint,
  layer: number,
  signal?: AbortSignal,
): Promise<LayerWeights> {
  const table = weightTable(checkpoint);
  const wanted = partsOf(checkpoint, layer).flatMap((entry) => {
    const key = { part: entry.part, layer, step: entry.step };
    const stored = entry.bias ? table.bias(key) : table.weight(key);
    return stored === undefined ? [] : [{ ...entry, stored }];
  });
  const loaded = await readStored(
    checkpoint,
    wanted.map(({ stored }) => stored),
    signal,
  );
  const steps: { inputs: Record<string, BackendTensor>; host: Map<string, Float32Array<ArrayBuffer>> }[] = [];
  let correctionBias: Float32Array<ArrayBuffer> | undefined;
  for (const [index, { part, step, bias }] of wanted.entries()) {
    const weight = loaded[index];
    if (weight === undefined) continue;
    while (steps.length <= step) steps.push({ inputs: {}, host: new Map() });
    const place = steps[step];
    if (part === 'correction-bias') correctionBias = decodeStored(weight);
    else if (isOutsideParameter(part)) place?.host.set(inputName(part, bias), decodeStored(weight));
    else if (place !== undefined) {
      const stacked = await backend.uploadWeights([weight]);
      place.inputs[inputName(part, bias)] = backend.view(stacked, weight.shape);
    }
  }
  return { steps, correctionBias };
}

export function disposeLayerWeights({ steps }: LayerWeights): void {
  for (const { inputs } of steps) for (const tensor of Object.values(inputs)) tensor.dispose();
}
