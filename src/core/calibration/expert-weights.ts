import type { ProjectionNames } from '../architectures/descriptor.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { WeightBytes } from '../checkpoint/read-tensor.ts';
import { readWeights } from '../checkpoint/read-weights.ts';
import { tensorName } from '../checkpoint/tensor-roles.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';

/** A layer whose experts' bytes fit into this is read in one go; of a larger one each group is read when its turn comes. */
const WHOLE_LAYER_BYTES = 64 * 1024 * 1024;

const PROJECTIONS = ['gate', 'up', 'down'] as const;

/** Graph inputs `gate`, `up`, `down` of the expert graph. */
export type ExpertInputs = Readonly<Record<(typeof PROJECTIONS)[number], BackendTensor>>;

/** Reads the MLP weights of one layer, group by group, the next group while the present one computes. */
export class ExpertWeightReader {
  readonly #checkpoint: Checkpoint;
  readonly #names: ProjectionNames;
  readonly #layer: number;
  readonly #signal: AbortSignal | undefined;
  readonly #pending = new Map<readonly number[], Promise<ReadonlyMap<string, WeightBytes>>>();
  #whole: Promise<ReadonlyMap<string, WeightBytes>> | undefined;

  /** `names`: the routed experts' projections, or the dense MLP's, which is then "expert 0". */
  constructor(checkpoint: Checkpoint, names: ProjectionNames, layer: number, signal?: AbortSignal) {
    this.#checkpoint = checkpoint;
    this.#names = names;
    this.#layer = layer;
    this.#signal = signal;
  }

  #tensorNames(experts: readonly number[]): string[] {
    return experts.flatMap((expert) => PROJECTIONS.map((projection) => this.#nameOf(projection, expert)));
  }

  #nameOf(projection: (typeof PROJECTIONS)[number], expert: number): string {
    return `${tensorName(this.#names[projection], this.#layer, expert)}.weight`;
  }

  /** Starts reading all of `experts` at once when together they are small. */
  prepare(experts: readonly number[]): void {
    const names = this.#tensorNames(experts);
    const bytes = names.reduce((sum, name) => sum + (this.#checkpoint.tensors.get(name)?.byteLength ?? 0), 0);
    if (bytes <= WHOLE_LAYER_BYTES) this.#whole = keepRejection(readWeights(this.#checkpoint, names, this.#signal));
  }

  /** Starts reading a group; `take` waits for it. */
  prefetch(experts: readonly number[]): void {
    if (this.#whole !== undefined || this.#pending.has(experts)) return;
    this.#pending.set(experts, keepRejection(readWeights(this.#checkpoint, this.#tensorNames(experts), this.#signal)));
  }

  /** The group's weights with the backend: gate, up [G, I, H] and down [G, H, I]. The caller disposes of them. */
  async take(backend: InferenceBackend, experts: readonly number[]): Promise<ExpertInputs> {
    this.prefetch(experts);
    const weights = await (this.#whole ?? this.#pending.get(experts));
    this.#pending.delete(experts);
    const upload = (projection: (typeof PROJECTIONS)[number]): Promise<BackendTensor> =>
      backend.uploadWeights(
        experts.flatMap((expert) => {
          const weight = weights?.get(this.#nameOf(projection, expert));
          return weight === undefined ? [] : [weight];
        }),
      );
    return { gate: await upload('gate'), up: await upload('up'), down: await upload('down') };
  }
}

/** The promise itself, whose rejection is reported where it is awaited and not as unhandled before that. */
function keepRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
