/** Storage types of torch that are read, by their class name. */
export const STORAGE_DTYPES = new Map([
  ['DoubleStorage', 'F64'],
  ['FloatStorage', 'F32'],
  ['HalfStorage', 'F16'],
  ['BFloat16Storage', 'BF16'],
  ['LongStorage', 'I64'],
  ['IntStorage', 'I32'],
  ['ShortStorage', 'I16'],
  ['CharStorage', 'I8'],
  ['ByteStorage', 'U8'],
  ['BoolStorage', 'BOOL'],
] as const);

export type TorchDtype = typeof STORAGE_DTYPES extends ReadonlyMap<string, infer Dtype> ? Dtype : never;

export const DTYPE_BYTES: Readonly<Record<TorchDtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** A run of numbers that tensors look into. */
export class TensorStorage {
  /** Its entry under `data/`. */
  readonly key: string;
  readonly dtype: TorchDtype;
  readonly elements: number;

  constructor(key: string, dtype: TorchDtype, elements: number) {
    this.key = key;
    this.dtype = dtype;
    this.elements = elements;
  }
}

/** A tensor whose numbers are not read yet. `strides` and `offset` count elements. */
export class TorchTensor {
  readonly storage: TensorStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TensorStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}
