/** What a run's time goes into: bytes from the source, weights decoded and brought to the backend, graphs and row kernels. */
export type Stage = 'read' | 'convert' | 'compute';

export const STAGES = ['read', 'convert', 'compute'] as const satisfies readonly Stage[];

/** Milliseconds from the first work to the last. */
export interface StageReport {
  readonly elapsed: number;
  /** Something of the stage was under way. */
  readonly busy: Readonly<Record<Stage, number>>;
  /** Nothing of it was: it waited for the other stages. */
  readonly wait: Readonly<Record<Stage, number>>;
}

interface Tally {
  active: number;
  since: number;
  busy: number;
}

/** Tells how the stages of a run overlap. Two looks at the clock for each piece of work: cheap enough to stay on. */
export class StageMeter {
  readonly #now: () => number;
  readonly #tallies: Readonly<Record<Stage, Tally>>;
  #first: number | undefined;
  #last = 0;

  /** `now` gives milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    const tally = (): Tally => ({ active: 0, since: 0, busy: 0 });
    this.#now = now;
    this.#tallies = { read: tally(), convert: tally(), compute: tally() };
  }

  /** Work of a stage begins; work of one stage may overlap, its time counts once. */
  begin(stage: Stage): void {
    const tally = this.#tallies[stage];
    const time = this.#now();
    this.#first ??= time;
    if (tally.active === 0) tally.since = time;
    tally.active += 1;
  }

  end(stage: Stage): void {
    const tally = this.#tallies[stage];
    tally.active -= 1;
    this.#last = this.#now();
    if (tally.active === 0) tally.busy += this.#last - tally.since;
  }

  /** Work that another thread measured, in milliseconds; pieces of it do not overlap each other. */
  add(stage: Stage, milliseconds: number): void {
    this.#last = this.#now();
    this.#first ??= this.#last - milliseconds;
    this.#tallies[stage].busy += milliseconds;
  }

  async during<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    this.begin(stage);
    try {
      return await work();
    } finally {
      this.end(stage);
    }
  }

  /** What has been so far; work that is under way counts once it has ended. */
  report(): StageReport {
    const elapsed = this.#first === undefined ? 0 : this.#last - this.#first;
    const { read, convert, compute } = this.#tallies;
    const rest = ({ busy }: Tally): number => Math.max(0, elapsed - busy);
    return {
      elapsed,
      busy: { read: read.busy, convert: convert.busy, compute: compute.busy },
      wait: { read: rest(read), convert: rest(convert), compute: rest(compute) },
    };
  }
}
