import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { Mixer } from '../checkpoint/mixer-config.ts';
import type { Rotary } from '../checkpoint/rope-config.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import { type ExpertGraphSpec, expertGraph } from '../onnx/expert-graph.ts';
import { type LayerGraphSpec, layerGraph, projectionGraph } from '../onnx/layer-graph.ts';
import type { NormSpec } from '../onnx/layer-inputs.ts';
import { isLong, rotaryTables } from '../onnx/rotary.ts';
import type { AttentionKernel } from '../onnx/softmax-attention.ts';
import type { BackendGraph, BackendTensor, InferenceBackend } from './inference-backend.ts';
import { mixerOutput, outsideProjections } from './outside-projections.ts';

export type MlpUse = 'routed' | 'shared' | 'dense';

/** cos and sin of a rotary embedding with the backend. */
export interface RotaryInputs {
  readonly cos: BackendTensor;
  readonly sin: BackendTensor;
}

/** The graphs of a model's layers, loaded once for a run: weights are inputs, so layers of one kind share a graph. */
export class LayerGraphs {
  readonly #backend: InferenceBackend;
  readonly #checkpoint: Checkpoint;
  readonly #positions: number;
  readonly #graphs = new Map<string, Promise<BackendGraph>>();
  readonly #tensors = new Map<string, BackendTensor>();
  readonly norm: NormSpec;

  /** `positions`: length of the longest sequence. */
  constructor(backend: InferenceBackend, checkpoint: Checkpoint, positions: number) {
    this.#backend = backend;
    this.#checkpoint = checkpoint;
    this.#positions = positions;
    this.norm = { kind: checkpoint.architecture.norm, epsilon: checkpoint.config.normEpsilon };
  }

  #load(name: string, key: string, build: () => Uint8Array<ArrayBuffer>): Promise<BackendGraph> {
    const loaded = this.#graphs.get(key) ?? this.#backend.loadGraph(name, build());
    this.#graphs.set(key, loaded);
    return loaded;
  }

  #constant(key: string, dims: readonly number[], values: () => Float32Array<ArrayBuffer>): BackendTensor {
    const known = this.#tensors.get(key);
    if (known !== undefined) return known;
    const tensor = this.#backend.upload('float32', values(), dims);
    this.#tensors.set(key, tensor);
    return tensor;
  }

  /** First half of a step of a layer; `kernel` is looked at for attention alone. */
  firstHalf(layer: number, step: number, kernel: AttentionKernel): Promise<BackendGraph> {
    const { config, architecture } = this.#checkpoint;
    const { mixer, moe, dense } = config.layerPlans[layer] ?? { mixer: undefined, moe: false, dense: false };
    const routed = moe && step === 0;
    const spec: LayerGraphSpec = {
      hiddenSize: config.hiddenSize,
      norm: this.norm,
      mixer: this.#mixerSpec(mixer, kernel),
      residual: config.multipliers.residual,
      router: {
        rows: routed ? config.experts + config.router.identityExperts : 0,
        bias: routed && weightTable(this.#checkpoint).bias({ part: 'router', layer }) !== undefined,
        sharedGate: routed && config.sharedWidth > 0 && architecture.shared?.gated === true,
      },
      feedForward: routed || dense,
    };
    const name = `${mixer?.kind ?? 'norm'}${routed ? ' and router' : ''}`;
    return this.#load(name, JSON.stringify(spec), () => layerGraph(spec));
  }

  #mixerSpec(mixer: Mixer | undefined, kernel: AttentionKernel): LayerGraphSpec['mixer'] {
    if (mixer === undefined) return undefined;
    if (mixer.kind === 'grouped-query' || mixer.kind === 'latent') return { kind: 'inside', mixer, kernel };
    return { kind: 'outside', ...mixerOutput(mixer, this.#checkpoint.config.hiddenSize) };
  }

  /** Projections in front of a mixer that runs on the host. */
  projections(mixer: Mixer): Promise<BackendGraph> {
    const { hiddenSize } = this.#checkpoint.config;
    const parts = outsideProjections(mixer, hiddenSize);
    return this.#load(`${mixer.kind} projections`, JSON.stringify(parts), () =>
      projectionGraph(hiddenSize, this.norm, parts),
    );
  }

  /** [length, length] for composed attention: 0 where a row may look, −∞ elsewhere. */
  mask(length: number, window: number | undefined, chunk: number | undefined): BackendTensor {
    const near = window === undefined || window >= length ? undefined : window;
    const within = chunk === undefined || chunk >= length ? undefined : chunk;
    this.#forgetMasksBut(length);
    return this.#constant(`mask ${length} ${near} ${within}`, [length, length], () => {
      const values = new Float32Array(length * length).fill(Number.NEGATIVE_INFINITY);
      for (let row = 0; row < length; row++) {
        const first = Math.max(
          near === undefined ? 0 : row - near + 1,
          within === undefined ? 0 : row - (row % within),
        );
        values.fill(0, row * length + first, row * length + row + 1);
      }
      return values;
    });
  }

  /** Masks are as large as the square of their length: those of one length are kept at a time. */
  #forgetMasksBut(length: number): void {
    for (const [key, tensor] of this.#tensors) {
      if (!key.startsWith('mask ') || key.startsWith(`mask ${length} `)) continue;
      tensor.dispose();
      this.#tensors.delete(key);
    }
  }

  rotary(rotary: Rotary, length: number): RotaryInputs {
    const long = isLong(rotary, length);
    const key = `${JSON.stringify(rotary)} ${long}`;
    const dims = [this.#positions, rotary.dimensions / 2];
    let tables: ReturnType<typeof rotaryTables> | undefined;
    const table = (): ReturnType<typeof rotaryTables> => {
      tables ??= rotaryTables(rotary, this.#positions, long);
      return tables;
    };
    return {
      cos: this.#constant(`cos ${key}`, dims, () => table().cos),
      sin: this.#constant(`sin ${key}`, dims, () => table().sin),
    };
  }

  /** [length, 1]: 1 + scale · log1p(⌊(position + 1) / floor⌋). */
  temperature({ scale, floor }: { readonly scale: number; readonly floor: number }, length: number): BackendTensor {
    return this.#constant(`temperature ${length} ${scale} ${floor}`, [length, 1], () =>
      Float32Array.from({ length }, (_, position) => 1 + scale * Math.log1p(Math.floor((position + 1) / floor))),
    );
  }

  /** The graph of a layer's routed experts, its shared expert or its dense MLP. */
  experts(use: MlpUse): Promise<BackendGraph> {
    const spec = this.expertSpec(use);
    return this.#load(`${use} experts`, JSON.stringify(spec), () => expertGraph(spec));
  }

  expertSpec(use: MlpUse): ExpertGraphSpec {
    const { config, moeLayers } = this.#checkpoint;
    const [firstMoe] = moeLayers;
    const table = weightTable(this.#checkpoint);
    const width = { routed: config.expertWidth, shared: config.sharedWidth, dense: config.denseWidth }[use];
    const { kind, limit } = config.activation;
    return {
      hiddenSize: config.hiddenSize,
      innerSize: width,
      activation: use !== 'routed' && kind === 'clamped-swiglu' ? 'silu' : kind,
      limit,
      bias: use === 'routed' && firstMoe !== undefined && table.bias({ fused: 'down', layer: firstMoe }) !== undefined,
      scaledInput: use === 'routed' && config.gateOn === 'input',
    };
  }

  async release(): Promise<void> {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    const loaded = await Promise.allSettled(this.#graphs.values());
    for (const graph of loaded) if (graph.status === 'fulfilled') await graph.value.release();
  }
}
