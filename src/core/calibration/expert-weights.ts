import type { Checkpoint, CheckpointTensor, Projection } from '../checkpoint/checkpoint.ts';
import { fusedOrientation } from '../checkpoint/fused-experts.ts';
import { decodeStored, type LoadedWeight, readStored } from '../checkpoint/read-weights.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import type { StoredWeight } from '../quantisation/weight-scheme.ts';
import { type FusedExpert, unfuse } from './fused-expert.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';
import type { MlpUse } from './layer-graphs.ts';

/** A layer whose experts' bytes fit into this is read in one go; of a larger one each group is read when its turn comes. */
const WHOLE_LAYER_BYTES = 64 * 1024 * 1024;

const PROJECTIONS = ['gate', 'up', 'down'] as const satisfies readonly Projection[];

/** Graph inputs of the expert graph: `gate`, `up`, `down` and with biases `gate_bias`, `up_bias`, `down_bias`. */
export type ExpertInputs = Readonly<Record<string, BackendTensor>>;

/** Which MLP of a layer is read; a shared expert and a dense layer's MLP are "expert 0". */
export interface MlpSite {
  readonly use: MlpUse;
  readonly layer: number;
  readonly step: number;
}

type Stored = StoredWeight<CheckpointTensor>;

/** Reads the MLP weights of one layer, group by group, the next group while the present one computes. */
export class ExpertWeightReader {
  readonly #checkpoint: Checkpoint;
  readonly #site: MlpSite;
  readonly #signal: AbortSignal | undefined;
  readonly #pending = new Map<readonly number[], Promise<ReadonlyMap<string, LoadedWeight>>>();
  #whole: Promise<ReadonlyMap<string, LoadedWeight>> | undefined;

  constructor(checkpoint: Checkpoint, site: MlpSite, signal?: AbortSignal) {
    this.#checkpoint = checkpoint;
    this.#site = site;
    this.#signal = signal;
  }

  get #fused(): boolean {
    return this.#site.use === 'routed' && weightTable(this.#checkpoint).isFused(this.#site.layer);
  }

  /** What an expert is stored as, by a name of its own. */
  #storedOf(expert: number): (readonly [string, Stored])[] {
    const table = weightTable(this.#checkpoint);
    const { use, layer, step } = this.#site;
    const found: (readonly [string, Stored | undefined])[] = this.#fused
      ? (['gate-up', 'down'] as const).flatMap((fused) => {
          const weight = table.weight({ fused, layer });
          const bias = table.bias({ fused, layer });
          return [
            [fused, weight === undefined ? undefined : table.slice(weight, expert)] as const,
            [`${fused}_bias`, bias === undefined ? undefined : table.slice(bias, expert)] as const,
          ];
        })
      : PROJECTIONS.map((projection) => {
          const key = use === 'routed' ? { expert, projection, layer } : { mlp: use, projection, layer, step };
          return [projection, table.weight(key)] as const;
        });
    return found.flatMap(([name, stored]) => (stored === undefined ? [] : [[`${name} ${expert}`, stored] as const]));
  }

  async #read(experts: readonly number[]): Promise<ReadonlyMap<string, LoadedWeight>> {
    const entries = experts.flatMap((expert) => this.#storedOf(expert));
    const loaded = await readStored(
      this.#checkpoint,
      entries.map(([, stored]) => stored),
      this.#signal,
    );
    return new Map(entries.flatMap(([name], index) => (loaded[index] === undefined ? [] : [[name, loaded[index]]])));
  }

  /** Starts reading all of `experts` at once when together they are small. */
  prepare(experts: readonly number[]): void {
    const [first] = experts;
    const one = first === undefined ? [] : this.#storedOf(first);
    const bytes = one.flatMap(([, { parts }]) => Object.values(parts)).reduce((sum, part) => sum + part.byteLength, 0);
    if (bytes * experts.length <= WHOLE_LAYER_BYTES) this.#whole = keepRejection(this.#read(experts));
  }

  /** Starts reading a group; `take` waits for it. */
  prefetch(experts: readonly number[]): void {
    if (this.#whole !== undefined || this.#pending.has(experts)) return;
    this.#pending.set(experts, keepRejection(this.#read(experts)));
  }

  /** The group's weights with the backend: gate, up [G, I, H] and down [G, H, I]. The caller disposes of them. */
  async take(backend: InferenceBackend, experts: readonly number[]): Promise<ExpertInputs> {
    this.prefetch(experts);
    const weights = (await (this.#whole ?? this.#pending.get(experts))) ?? new Map<string, LoadedWeight>();
    this.#pending.delete(experts);
    if (this.#fused) return this.#uploadFused(backend, experts, weights);
    const inputs: Record<string, BackendTensor> = {};
    for (const projection of PROJECTIONS) {
      const stack = experts.flatMap((expert) => weights.get(`${projection} ${expert}`) ?? []);
      if (stack.length > 0) inputs[projection] = await backend.uploadWeights(stack);
    }
    return inputs;
  }

  #uploadFused(
    backend: InferenceBackend,
    experts: readonly number[],
    weights: ReadonlyMap<string, LoadedWeight>,
  ): ExpertInputs {
    const { architecture, config } = this.#checkpoint;
    const gateUpShape = weightTable(this.#checkpoint).weight({ fused: 'gate-up', layer: this.#site.layer });
    const downShape = weightTable(this.#checkpoint).weight({ fused: 'down', layer: this.#site.layer });
    const packed = gateUpShape?.scheme === 'mxfp4';
    const layout = {
      hiddenSize: config.hiddenSize,
      innerSize: config.expertWidth,
      orientation: fusedOrientation(gateUpShape?.shape ?? [], downShape?.shape ?? [], packed, config, architecture),
      interleaved: architecture.experts.fused?.interleaved === true,
    };
    const decoded = (name: string): Float32Array<ArrayBuffer> | undefined => {
      const weight = weights.get(name);
      return weight === undefined ? undefined : decodeStored(weight);
    };
    const each = experts.map(
      (expert): FusedExpert =>
        unfuse(layout, {
          gateUp: decoded(`gate-up ${expert}`) ?? new Float32Array(),
          down: decoded(`down ${expert}`) ?? new Float32Array(),
          gateUpBias: decoded(`gate-up_bias ${expert}`),
          downBias: decoded(`down_bias ${expert}`),
        }),
    );
    return stack(backend, each, config.hiddenSize, config.expertWidth);
  }
}

function stack(backend: InferenceBackend, each: readonly FusedExpert[], hidden: number, inner: number): ExpertInputs {
  const shapes = {
    gate: [inner, hidden],
    up: [inner, hidden],
    down: [hidden, inner],
    gate_bias: [inner, 1],
    up_bias: [inner, 1],
    down_bias: [hidden, 1],
  } as const;
  const inputs: Record<string, BackendTensor> = {};
  for (const [name, [rows, columns]] of Object.entries(shapes)) {
    const size = rows * columns;
    const values = new Float32Array(size * each.length);
    let there = 0;
    for (const expert of each) {
      const part = expert[name as keyof typeof shapes];
      if (part === undefined) continue;
      values.set(part, there * size);
      there += 1;
    }
    if (there > 0) inputs[name] = backend.upload('float32', values, [each.length, rows, columns]);
  }
  return inputs;
}

/** The promise itself, whose rejection is reported where it is awaited and not as unhandled before that. */
function keepRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
