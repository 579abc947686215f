import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { type AttentionKernel, attentionGraph } from '../onnx/attention-graph.ts';
import { expertGraph } from '../onnx/expert-graph.ts';
import { rotaryTables } from '../onnx/rotary.ts';
import type { BackendGraph, BackendTensor, InferenceBackend } from './inference-backend.ts';

/** The graphs of a model's layers, loaded once for a run: weights are inputs, so layers of one kind share a graph. */
export class LayerGraphs {
  readonly #backend: InferenceBackend;
  readonly #checkpoint: Checkpoint;
  readonly #graphs = new Map<string, Promise<BackendGraph>>();
  readonly #masks = new Map<number, BackendTensor>();
  /** Query heads, whose scores the composed kernel holds. */
  readonly heads: number;
  readonly cos: BackendTensor;
  readonly sin: BackendTensor;

  /** `positions`: length of the longest sequence. */
  constructor(backend: InferenceBackend, checkpoint: Checkpoint, positions: number) {
    this.#backend = backend;
    this.#checkpoint = checkpoint;
    const { heads, headDim, ropeTheta } = checkpoint.config.attention;
    this.heads = heads;
    const { cos, sin } = rotaryTables(positions, headDim, ropeTheta);
    this.cos = backend.upload('float32', cos, [positions, headDim / 2]);
    this.sin = backend.upload('float32', sin, [positions, headDim / 2]);
  }

  #load(name: string, build: () => Uint8Array<ArrayBuffer>): Promise<BackendGraph> {
    const loaded = this.#graphs.get(name) ?? this.#backend.loadGraph(name, build());
    this.#graphs.set(name, loaded);
    return loaded;
  }

  /** First half of a layer, with the router when the layer has experts. */
  attention(withRouter: boolean, kernel: AttentionKernel): Promise<BackendGraph> {
    const { config, architecture } = this.#checkpoint;
    const { heads, keyValueHeads, headDim, bias } = config.attention;
    return this.#load(`${kernel} attention${withRouter ? ' and router' : ''}`, () =>
      attentionGraph({
        hiddenSize: config.hiddenSize,
        heads,
        keyValueHeads,
        headDim,
        bias,
        normEpsilon: config.normEpsilon,
        queryKeyNorm: architecture.attention.queryKeyNorm,
        experts: withRouter ? config.experts : 0,
        kernel,
      }),
    );
  }

  /** [length, length] for the composed kernel: 0 on and below the diagonal, −∞ above it. */
  causalMask(length: number): BackendTensor {
    const known = this.#masks.get(length);
    if (known !== undefined) return known;
    const values = new Float32Array(length * length);
    for (let row = 0; row < length; row++)
      values.fill(Number.NEGATIVE_INFINITY, row * length + row + 1, (row + 1) * length);
    const mask = this.#backend.upload('float32', values, [length, length]);
    this.#masks.set(length, mask);
    return mask;
  }

  /** Experts, or with the dense width a dense layer's MLP. */
  experts(innerSize: number): Promise<BackendGraph> {
    return this.#load(`experts of width ${innerSize}`, () =>
      expertGraph(this.#checkpoint.config.hiddenSize, innerSize),
    );
  }

  async release(): Promise<void> {
    this.cos.dispose();
    this.sin.dispose();
    for (const mask of this.#masks.values()) mask.dispose();
    const loaded = await Promise.allSettled(this.#graphs.values());
    for (const graph of loaded) if (graph.status === 'fulfilled') await graph.value.release();
  }
}
