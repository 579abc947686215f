import type { PartName } from '../architectures/tensor-parts.ts';
import type { Checkpoint, CheckpointTensor } from '../checkpoint/checkpoint.ts';
import { expectedTensors } from '../checkpoint/expected-tensors.ts';
import { decodeStored, type LoadedWeight, readStored } from '../checkpoint/read-weights.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import { inputName } from '../onnx/layer-inputs.ts';
import type { StoredWeight } from '../quantisation/weight-scheme.ts';
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

interface WantedPart extends LayerPart {
  readonly stored: StoredWeight<CheckpointTensor>;
}

interface LoadedPart extends LayerPart {
  readonly weight: LoadedWeight;
}

/** Decoded and kept on the host, not brought to the backend. */
function staysOnHost({ part }: LayerPart): boolean {
  return part === 'correction-bias' || isOutsideParameter(part);
}

/** Loads what the first halves of a run's layers need, and reads those of the next layer while the present one computes. */
export class LayerWeightReader {
  readonly #backend: InferenceBackend;
  readonly #checkpoint: Checkpoint;
  readonly #signal: AbortSignal | undefined;
  #ahead: { readonly layer: number; readonly parts: Promise<LoadedPart[]> } | undefined;

  constructor(backend: InferenceBackend, checkpoint: Checkpoint, signal?: AbortSignal) {
    this.#backend = backend;
    this.#checkpoint = checkpoint;
    this.#signal = signal;
  }

  /** Starts reading a layer: its bytes as stored lie in memory until it is taken. One layer at a time. */
  prefetch(layer: number): void {
    const parts = this.#read(layer);
    // Reported where it is awaited.
    parts.catch(() => undefined);
    this.#ahead = { layer, parts };
  }

  /** The weights of a layer with the backend. The caller disposes of them. @throws StudioError of the family `source` or `backend`. */
  async take(layer: number): Promise<LayerWeights> {
    const parts = await (this.#ahead?.layer === layer ? this.#ahead.parts : this.#read(layer));
    this.#ahead = undefined;
    const steps: { inputs: Record<string, BackendTensor>; host: Map<string, Float32Array<ArrayBuffer>> }[] = [];
    const stepOf = (index: number): (typeof steps)[number] => {
      while (steps.length <= index) steps.push({ inputs: {}, host: new Map() });
      return steps[index] ?? { inputs: {}, host: new Map() };
    };
    let correctionBias: Float32Array<ArrayBuffer> | undefined;
    // Before the others' bytes go to the backend: they may share a buffer.
    for (const loaded of parts.filter(staysOnHost)) {
      const values = decodeStored(loaded.weight);
      if (loaded.part === 'correction-bias') correctionBias = values;
      else stepOf(loaded.step).host.set(inputName(loaded.part, loaded.bias), values);
    }
    const others = parts.filter((loaded) => !staysOnHost(loaded));
    const tensors = await this.#backend.uploadStacks(others.map(({ weight }) => ({ weights: [weight] })));
    for (const [index, { part, step, bias, weight }] of others.entries()) {
      const tensor = tensors[index];
      if (tensor !== undefined) stepOf(step).inputs[inputName(part, bias)] = this.#backend.view(tensor, weight.shape);
    }
    return { steps, correctionBias };
  }

  async #read(layer: number): Promise<LoadedPart[]> {
    const table = weightTable(this.#checkpoint);
    const wanted = partsOf(this.#checkpoint, layer).flatMap((entry): WantedPart[] => {
      const key = { part: entry.part, layer, step: entry.step };
      const stored = entry.bias ? table.bias(key) : table.weight(key);
      return stored === undefined ? [] : [{ ...entry, stored }];
    });
    const weights = await this.#backend.stages.during('read', () =>
      readStored(
        this.#checkpoint,
        wanted.map(({ stored }) => stored),
        this.#signal,
      ),
    );
    return wanted.flatMap((part, index) => {
      const weight = weights[index];
      return weight === undefined ? [] : [{ ...part, weight }];
    });
  }
}

/** Reads and uploads what a layer's first halves need. The caller disposes of the tensors. */
export function loadLayerWeights(
  backend: InferenceBackend,
  checkpoint: Checkpoint,
  layer: number,
  signal?: AbortSignal,
): Promise<LayerWeights> {
  return new LayerWeightReader(backend, checkpoint, signal).take(layer);
}

export function disposeLayerWeights({ steps }: LayerWeights): void {
  for (const { inputs } of steps) for (const tensor of Object.values(inputs)) tensor.dispose();
}
