import type { ModelConfig } from '../checkpoint/model-config.ts';

export interface CalibrationProgress {
  readonly phase: 'loading' | 'attention' | 'experts';
  /** The model's own layer index that is being computed, and how many layers there are. */
  readonly layer: number;
  readonly layers: number;
  /** 0..1 over the whole run. */
  readonly fraction: number;
  /** Tokens × layers per second over the last seconds, 0 while unknown. */
  readonly tokenLayersPerSecond: number;
  /** Seconds left by that rate, or null while unknown. */
  readonly etaSeconds: number | null;
  /** What came over the network so far, and over the last seconds; left out where the source lies on this machine. */
  readonly transfer?: { readonly bytes: number; readonly bytesPerSecond: number };
}

/** The rate is that of the last seconds, so that a pause or a slow start does not haunt the estimate. */
const WINDOW_SECONDS = 8;
const FIRST_ESTIMATE_SECONDS = 1;

/** Turns finished work into a fraction, a rate and an estimate; work is counted in multiplications. */
export class ProgressMeter {
  readonly #perToken: number;
  readonly #perPair: number;
  readonly #layers: number;
  readonly #tokens: number;
  readonly #workPerLayer: number;
  readonly #now: () => number;
  #done: number;
  #samples: { readonly time: number; readonly done: number }[] = [];

  /** `now` gives milliseconds; `finishedLayers` were done before this run. */
  constructor(
    config: ModelConfig,
    tokens: number,
    finishedLayers: number,
    now: () => number = () => performance.now(),
  ) {
    const { hiddenSize, expertWidth, topK, layers } = config;
    // Four projections of the width of the stream, near enough for every kind of mixer.
    this.#perToken = 4 * hiddenSize * hiddenSize;
    this.#perPair = 3 * hiddenSize * expertWidth;
    this.#layers = layers;
    this.#tokens = tokens;
    this.#workPerLayer = tokens * (this.#perToken + topK * this.#perPair);
    this.#done = finishedLayers * this.#workPerLayer;
    this.#now = now;
    this.#samples.push({ time: now(), done: this.#done });
  }

  /** Forgets the rate so far: after a pause. */
  restartClock(): void {
    this.#samples = [{ time: this.#now(), done: this.#done }];
  }

  /** Adds tokens through attention or pairs through experts. */
  add(phase: 'attention' | 'experts', amount: number): void {
    this.#done += amount * (phase === 'attention' ? this.#perToken : this.#perPair);
  }

  /** A finished layer corrects the count: dense layers take another amount of work than the estimate. */
  finishLayer(layer: number): void {
    this.#done = (layer + 1) * this.#workPerLayer;
  }

  report(phase: CalibrationProgress['phase'], layer: number): CalibrationProgress {
    const time = this.#now();
    const total = this.#layers * this.#workPerLayer;
    const done = Math.min(this.#done, (layer + 1) * this.#workPerLayer);
    this.#samples.push({ time, done });
    while (this.#samples.length > 2 && time - (this.#samples[0]?.time ?? time) > WINDOW_SECONDS * 1000)
      this.#samples.shift();
    const first = this.#samples[0];
    const seconds = first === undefined ? 0 : (time - first.time) / 1000;
    const rate = first === undefined || seconds < FIRST_ESTIMATE_SECONDS ? 0 : (done - first.done) / seconds;
    return {
      phase,
      layer,
      layers: this.#layers,
      fraction: total === 0 ? 0 : done / total,
      tokenLayersPerSecond: (rate / this.#workPerLayer) * this.#tokens,
      etaSeconds: rate > 0 ? (total - done) / rate : null,
    };
  }
}
