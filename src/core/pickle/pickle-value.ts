import type { TensorStorage, TorchTensor } from './torch-tensor.ts';

export type PickleKey = string | number | boolean;

/** What a restricted pickle can hold. Lists and tuples are arrays, dicts are maps: no key reaches an object's prototype. */
export type PickleValue =
  | null
  | PickleKey
  | PickleValue[]
  | Map<PickleKey, PickleValue>
  | PickleGlobal
  | TensorStorage
  | TorchTensor;

/** A name of Python that a pickle may use, and what it gives when it is called. */
export class PickleGlobal {
  readonly name: string;
  /** Null for what may be named and not called: storage types. */
  readonly call: ((args: readonly PickleValue[]) => PickleValue) | null;

  constructor(name: string, call: PickleGlobal['call']) {
    this.name = name;
    this.call = call;
  }
}
