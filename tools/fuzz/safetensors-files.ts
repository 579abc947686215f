import fc from 'fast-check';
import { BITS_PER_ELEMENT, type Dtype, isDtype } from '../../src/core/safetensors/dtype.ts';
import { layoutTensors, type TensorShape } from '../../src/core/safetensors/writer.ts';

/** A valid file with what it was made of. */
export interface ValidFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly tensors: readonly TensorShape[];
  readonly metadata: ReadonlyMap<string, string>;
}

const dtypes: readonly Dtype[] = Object.keys(BITS_PER_ELEMENT).filter(isDtype);
const text = fc.string({ unit: 'binary', maxLength: 12 });
const name = fc.oneof(
  text,
  fc.constantFrom('__proto__', 'constructor', 'model.layers.0.mlp.experts.17.gate_proj.weight', '', '\u0000', '"\\'),
);

/** Dimensions whose last one is a multiple of 8, so that F4 and F6 fill whole bytes; now and then no element, or one. */
const shape = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }), fc.constantFrom(0, 8, 16))
  .map(([dimensions, last]) => [...dimensions, last]);

const tensor: fc.Arbitrary<TensorShape> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ name, dtype: fc.constantFrom(...dtypes), shape }) },
  {
    weight: 1,
    arbitrary: fc.record({ name, dtype: fc.constantFrom<Dtype>('F32', 'BF16', 'I64'), shape: fc.constant([]) }),
  },
);

/** Writes a file of `tensors` whose data bytes count up. */
export function writeFile(
  tensors: readonly TensorShape[],
  metadata: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const { header, fileSize } = layoutTensors(tensors, metadata);
  const bytes = new Uint8Array(fileSize).map((_, index) => index % 251);
  bytes.set(header);
  return bytes;
}

/** Valid files with up to 8 tensors of every dtype, odd names and metadata. */
export const validFiles: fc.Arbitrary<ValidFile> = fc
  .record({
    tensors: fc.uniqueArray(
      tensor.filter((made) => made.name !== '__metadata__'),
      { selector: (made) => made.name, maxLength: 8 },
    ),
    metadata: fc.array(fc.tuple(text, text), { maxLength: 3 }).map((pairs) => new Map(pairs)),
  })
  .map(({ tensors, metadata }) => ({ tensors, metadata, bytes: writeFile(tensors, metadata) }));

/** One change of the file's bytes. Positions are fractions, so that they shrink with the file. */
type ByteChange =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'insert'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'copy'; readonly at: number; readonly to: number; readonly length: number };

const at = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
// The bytes that JSON is made of change its meaning more often than others do.
const value = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(...new TextEncoder().encode('{}[]",:\\0-9eE. \n')),
);

const changes: fc.Arbitrary<readonly ByteChange[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at, bit: fc.integer({ min: 0, max: 7 }) }),
    fc.record({ kind: fc.constant('set' as const), at, value }),
    fc.record({ kind: fc.constant('insert' as const), at, value }),
    fc.record({ kind: fc.constant('cut' as const), at }),
    fc.record({ kind: fc.constant('copy' as const), at, to: at, length: fc.integer({ min: 1, max: 40 }) }),
  ),
  { minLength: 1, maxLength: 4 },
);

function changed(bytes: Uint8Array, change: ByteChange): Uint8Array {
  const position = Math.floor(change.at * bytes.byteLength);
  const result = bytes.slice();
  switch (change.kind) {
    case 'flip':
      result[position] = (result[position] ?? 0) ^ (1 << change.bit);
      return result;
    case 'set':
      result[position] = change.value;
      return result;
    case 'insert':
      return Uint8Array.from([...bytes.subarray(0, position), change.value, ...bytes.subarray(position)]);
    case 'cut':
      return bytes.slice(0, position);
    case 'copy':
      result.copyWithin(Math.floor(change.to * bytes.byteLength), position, position + change.length);
      return result;
  }
}

/** The files of `validFiles` after one to four changes of single bytes, cuts and copies; some are still valid. */
export const damagedFiles: fc.Arbitrary<Uint8Array> = fc
  .tuple(validFiles, changes)
  .map(([file, list]) => list.reduce<Uint8Array>(changed, file.bytes));
