import { nodeBackend } from '../../cli/node-backend.ts';
import { StudioError } from '../base/errors.ts';
import type { BackendDescription, BackendGraph, BackendTensor, InferenceBackend } from './inference-backend.ts';

/** How a backend fails: an error of its own, the engine's, too little memory, or results that are none. */
export type Fault = 'graph-failed' | 'type-error' | 'allocation' | 'zeros' | 'not-a-number';

function thrown(fault: Fault): Error | undefined {
  switch (fault) {
    case 'graph-failed':
      return new StudioError('backend', 'graph-failed', 'The graph failed.', { nextStep: 'Try again.' });
    case 'type-error':
      return new TypeError('the object is not usable');
    case 'allocation':
      return new RangeError('Array buffer allocation failed');
    default:
      return undefined;
  }
}

/** A CPU backend that calls itself `id` and fails in its `failsAt`-th step (of graphs, runs, weights and readings) and every later one. */
export class FailingBackend {
  readonly backend: InferenceBackend;
  steps = 0;
  closed = false;
  /** Steps that still succeed, counted from the first. */
  failsAt: number;
  readonly #fault: Fault;

  constructor(id: BackendDescription['id'], fault: Fault = 'graph-failed', failsAt = Number.POSITIVE_INFINITY) {
    this.#fault = fault;
    this.failsAt = failsAt;
    const inner = nodeBackend(1);
    const about: BackendDescription = { id, description: `A backend called ${id}`, notes: [] };
    const own: Partial<InferenceBackend> = {
      about,
      limits: { ...inner.limits, blockTokens: 40, attentionTokens: 20, groupRows: 64 },
      loadGraph: async (name, model) => {
        this.#step();
        return this.#failing(await inner.loadGraph(name, model));
      },
      uploadStacks: async (stacks) => {
        this.#step();
        return inner.uploadStacks(stacks);
      },
      gatherRows: (source, rows, dims) => this.#answer(inner.gatherRows(source, rows, dims), inner),
      read: async (tensor) => {
        this.#step();
        const values = await inner.read(tensor);
        if (this.#dead && this.#fault === 'zeros') values.fill(0);
        if (this.#dead && this.#fault === 'not-a-number') values.fill(Number.NaN, 0, 1);
        return values;
      },
      close: () => {
        this.closed = true;
        return inner.close();
      },
    };
    this.backend = new Proxy(inner, {
      get: (target, key) => {
        const value: unknown = Object.hasOwn(own, key) ? Reflect.get(own, key) : Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  get #dead(): boolean {
    return this.steps > this.failsAt;
  }

  #step(): void {
    this.steps += 1;
    const error = this.#dead ? thrown(this.#fault) : undefined;
    if (error !== undefined) throw error;
  }

  #answer(tensor: BackendTensor, inner: InferenceBackend): BackendTensor {
    return this.#dead && this.#fault === 'zeros' ? inner.zeros(tensor.dims) : tensor;
  }

  #failing(graph: BackendGraph): BackendGraph {
    return {
      run: (inputs, outputs) => {
        this.#step();
        return graph.run(inputs, outputs);
      },
      release: () => graph.release(),
    };
  }
}
