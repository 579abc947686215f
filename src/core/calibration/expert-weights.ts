import type { Checkpoint, CheckpointTensor, Projection } from '../checkpoint/checkpoint.ts';
import { fusedOrientation } from '../checkpoint/fused-experts.ts';
import { type LoadedWeight, readStored } from '../checkpoint/read-weights.ts';
import { weightTable } from '../checkpoint/weight-table.ts';
import type { StoredWeight } from '../quantisation/weight-scheme.ts';
import { fusedCuts } from './fused-expert.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';
import type { MlpUse } from './layer-graphs.ts';
import type { WeightCut, WeightStack } from './weight-stack.ts';

/** A layer whose experts' bytes, as stored, fit into this is read in one go; of a larger one each group by itself. */
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
/** Weights of a group by what they are and whose: `gate 3`. */
type Loaded = ReadonlyMap<string, LoadedWeight>;

/**
 * Loads the MLP weights of one layer, group by group, while another group computes. In memory at most: the group that
 * computes and the next one as f32, and the bytes of one more as stored (or of all groups, within WHOLE_LAYER_BYTES).
 */
export class ExpertWeightReader {
  readonly #checkpoint: Checkpoint;
  readonly #site: MlpSite;
  readonly #signal: AbortSignal | undefined;
  readonly #reads = new Map<readonly number[], Promise<Loaded>>();
  readonly #uploads = new Map<readonly number[], Promise<ExpertInputs>>();
  #whole: Promise<Loaded> | undefined;

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

  async #readGroup(backend: InferenceBackend, experts: readonly number[]): Promise<Loaded> {
    const entries = experts.flatMap((expert) => this.#storedOf(expert));
    const stored = entries.map(([, weight]) => weight);
    const loaded = await backend.stages.during('read', () => readStored(this.#checkpoint, stored, this.#signal));
    return new Map(entries.flatMap(([name], index) => (loaded[index] === undefined ? [] : [[name, loaded[index]]])));
  }

  /** Starts reading all of `experts` at once when together they are small. */
  prepare(backend: InferenceBackend, experts: readonly number[]): void {
    const [first] = experts;
    const one = first === undefined ? [] : this.#storedOf(first);
    const bytes = one.flatMap(([, { parts }]) => Object.values(parts)).reduce((sum, part) => sum + part.byteLength, 0);
    if (bytes * experts.length <= WHOLE_LAYER_BYTES) this.#whole = keepRejection(this.#readGroup(backend, experts));
  }

  /** Starts reading a group; resolves when its bytes are there. */
  async read(backend: InferenceBackend, experts: readonly number[]): Promise<void> {
    await (this.#whole ?? this.#readOnce(backend, experts));
  }

  #readOnce(backend: InferenceBackend, experts: readonly number[]): Promise<Loaded> {
    const started = this.#reads.get(experts) ?? keepRejection(this.#readGroup(backend, experts));
    this.#reads.set(experts, started);
    return started;
  }

  /** Starts bringing a group to the backend; `take` waits for it. */
  prefetch(backend: InferenceBackend, experts: readonly number[]): void {
    if (this.#uploads.has(experts)) return;
    this.#uploads.set(experts, keepRejection(this.#upload(backend, experts)));
  }

  /** The group's weights with the backend: gate, up [G, I, H] and down [G, H, I]. The caller disposes of them. */
  async take(backend: InferenceBackend, experts: readonly number[]): Promise<ExpertInputs> {
    this.prefetch(backend, experts);
    const inputs = await this.#uploads.get(experts);
    this.#uploads.delete(experts);
    return inputs ?? {};
  }

  /** Disposes of what was brought to the backend and not taken: a run that ends early leaves nothing there. */
  async discard(): Promise<void> {
    const uploads = await Promise.allSettled(this.#uploads.values());
    this.#uploads.clear();
    this.#reads.clear();
    for (const upload of uploads) if (upload.status === 'fulfilled') disposeInputs(upload.value);
  }

  async #upload(backend: InferenceBackend, experts: readonly number[]): Promise<ExpertInputs> {
    const loaded =
      this.#whole === undefined ? await this.#readOnce(backend, experts) : ownBytes(await this.#whole, experts);
    this.#reads.delete(experts);
    this.#signal?.throwIfAborted();
    const stacks = this.#fused ? this.#fusedStacks(experts, loaded) : plainStacks(experts, loaded);
    const tensors = await backend.uploadStacks(stacks.map(([, stack]) => stack));
    return Object.fromEntries(
      stacks.flatMap(([name], index) => (tensors[index] === undefined ? [] : [[name, tensors[index]]])),
    );
  }

  #fusedStacks(experts: readonly number[], loaded: Loaded): (readonly [string, WeightStack])[] {
    const { architecture, config } = this.#checkpoint;
    const table = weightTable(this.#checkpoint);
    const gateUp = table.weight({ fused: 'gate-up', layer: this.#site.layer });
    const down = table.weight({ fused: 'down', layer: this.#site.layer });
    const packed = gateUp?.scheme === 'mxfp4';
    const cuts = fusedCuts({
      hiddenSize: config.hiddenSize,
      innerSize: config.expertWidth,
      orientation: fusedOrientation(gateUp?.shape ?? [], down?.shape ?? [], packed, config, architecture),
      interleaved: architecture.experts.fused?.interleaved === true,
    });
    const parts: readonly (readonly [string, string, WeightCut])[] = [
      ['gate', 'gate-up', cuts.gate],
      ['up', 'gate-up', cuts.up],
      ['down', 'down', cuts.down],
      ['gate_bias', 'gate-up_bias', cuts.gateBias],
      ['up_bias', 'gate-up_bias', cuts.upBias],
      ['down_bias', 'down_bias', cuts.downBias],
    ];
    return parts.flatMap(([name, from, cut]) => {
      const weights = weightsOf(experts, from, loaded);
      return weights.length === 0 ? [] : [[name, { weights, cut }] as const];
    });
  }
}

function weightsOf(experts: readonly number[], name: string, loaded: Loaded): LoadedWeight[] {
  return experts.flatMap((expert) => loaded.get(`${name} ${expert}`) ?? []);
}

function plainStacks(experts: readonly number[], loaded: Loaded): (readonly [string, WeightStack])[] {
  return PROJECTIONS.flatMap((projection) => {
    const weights = weightsOf(experts, projection, loaded);
    return weights.length === 0 ? [] : [[projection, { weights }] as const];
  });
}

/** The group's own weights out of a layer that was read in one go: the backend takes their bytes, the others' stay. */
function ownBytes(whole: Loaded, experts: readonly number[]): Loaded {
  const group = new Set(experts);
  return new Map(
    [...whole].flatMap(([name, weight]) => {
      if (!group.has(Number(name.slice(name.lastIndexOf(' ') + 1)))) return [];
      const parts = Object.entries(weight.parts).map(
        ([part, tensor]) => [part, { ...tensor, bytes: tensor.bytes.slice() }] as const,
      );
      return [[name, { ...weight, parts: Object.fromEntries(parts) }]];
    }),
  );
}

export function disposeInputs(inputs: ExpertInputs): void {
  for (const tensor of Object.values(inputs)) tensor.dispose();
}

/** The promise itself, whose rejection is reported where it is awaited and not as unhandled before that. */
function keepRejection<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
