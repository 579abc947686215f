import type { LoadedWeight } from '../checkpoint/read-weights.ts';
import type { StageMeter } from './stage-meter.ts';
import type { WeightStack } from './weight-stack.ts';

/** Data of a tensor on the host, by element type. */
export interface HostArrays {
  readonly float32: Float32Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
  readonly int64: BigInt64Array<ArrayBuffer>;
}
export type BackendTensorType = keyof HostArrays;

/** A tensor that lives wherever the backend computes. Whoever made it disposes of it. */
export interface BackendTensor {
  readonly type: BackendTensorType;
  readonly dims: readonly number[];
  dispose(): void;
}

/** A loaded graph; weights are inputs, so one graph serves all layers and experts of its shape. */
export interface BackendGraph {
  /** Runs the graph and returns the outputs asked for, which the caller disposes of. Runs of a backend never overlap. */
  run<Output extends string>(
    inputs: Readonly<Record<string, BackendTensor>>,
    outputs: readonly Output[],
  ): Promise<Readonly<Record<Output, BackendTensor>>>;
  release(): Promise<void>;
}

/** What a backend wants its work cut into. */
export interface BackendLimits {
  /** Bytes of f32 weights of a group of experts that run as one padded batch. An expert beyond it runs alone. */
  readonly groupWeightBytes: number;
  /** Rows (experts × padded tokens) of one run of the expert graph. */
  readonly groupRows: number;
  /** Bytes of the largest tensor that a run of the expert graph may hold. One row always runs. */
  readonly tensorBytes: number;
  /** Tokens of one run of the attention graph. */
  readonly attentionTokens: number;
  /** onnxruntime's fused attention kernel is faster than composed attention, where it fits the model. */
  readonly fusedAttention: boolean;
  /** Bytes of attention scores that composed attention may hold at once. */
  readonly scoreBytes: number;
  /** Tokens whose hidden states stay with the backend at once; weights stream past once for each such block. */
  readonly blockTokens: number;
  /** Groups of experts that are loaded while another computes. 0 does one after the other: for measuring what it gains. */
  readonly groupsAhead: 0 | 1;
  /** Nothing else moves in this thread while a graph runs: what is to go on beside a run must have been handed over before. */
  readonly runsBlock: boolean;
}

/** Which backend computes and on what, in words for a person. */
export interface BackendDescription {
  readonly id: 'webgpu' | 'wasm' | 'node';
  /** For example "WebGPU on nvidia" or "WebAssembly, 2 threads". */
  readonly description: string;
  /** Why a faster backend is not used, one sentence each; empty when nothing was passed over. */
  readonly notes: readonly string[];
}

/**
 * Where tensors live and graphs run: the one port between the engine and onnxruntime. All floating point data is f32.
 * Failures are StudioErrors of the family `backend`.
 */
export interface InferenceBackend {
  readonly about: BackendDescription;
  readonly limits: BackendLimits;
  /** How the stages of the work so far overlapped. */
  readonly stages: StageMeter;
  loadGraph(name: string, model: Uint8Array<ArrayBuffer>): Promise<BackendGraph>;
  /** Hands `data` over; the caller does not write to it afterwards. */
  upload<Type extends BackendTensorType>(type: Type, data: HostArrays[Type], dims: readonly number[]): BackendTensor;
  /** Decodes weights to f32 and stacks them along a new first axis: dims = [weights.length, ...shape]. All of one shape. */
  uploadWeights(weights: readonly LoadedWeight[]): Promise<BackendTensor>;
  /**
   * Likewise for several stacks at once, each a tensor of its stackDims. Takes the weights' bytes: nobody may use them, or
   * anything else that lies in their buffers, afterwards.
   */
  uploadStacks(stacks: readonly WeightStack[]): Promise<BackendTensor[]>;
  zeros(dims: readonly number[]): BackendTensor;
  /** The same data under other dims; takes the tensor's place, which must not be used or disposed of any more. */
  view(tensor: BackendTensor, dims: readonly number[]): BackendTensor;
  /** Rows [start, start + count) of a [T, H] tensor with the dims given; a view or a copy. */
  rows(source: BackendTensor, start: number, count: number, dims: readonly number[]): BackendTensor;
  /** Writes a [n, H] tensor over rows [start, start + n) of a [T, H] tensor. */
  writeRows(target: BackendTensor, start: number, source: BackendTensor): void;
  /** [G, C, H] of the rows named (−1 gives zeros) of a [T, H] tensor; `rows` has G·C entries. */
  gatherRows(
    source: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    dims: readonly [number, number, number],
  ): BackendTensor;
  /** target[rows[i]] += factors[i] · values[i] in the order of i, skipping −1; target [T, H], values [G, C, H]. */
  scatterAddRows(
    target: BackendTensor,
    rows: Int32Array<ArrayBuffer>,
    factors: Float32Array<ArrayBuffer>,
    values: BackendTensor,
  ): void;
  /** A copy of the tensor's data on the host. */
  read(tensor: BackendTensor): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}
