import fc from 'fast-check';
import type { SafetensorsErrorCode } from '../../src/core/safetensors/refusals.ts';
import { layoutTensors } from '../../src/core/safetensors/writer.ts';
import { type ValidFile, validFiles } from './safetensors-files.ts';

/** A file with one thing wrong, and what the reader must say to it. */
export interface FaultyFile {
  readonly fault: string;
  readonly code: SafetensorsErrorCode;
  readonly bytes: Uint8Array;
}

/** A header and what lies behind it, before they become bytes; `entries` holds the raw JSON of each tensor's fields. */
interface Draft {
  readonly names: string[];
  readonly entries: Map<string, string>[];
  metadata: string;
  before: string;
  after: string;
  dataBytes: number;
  /** What the first eight bytes say, where they do not say the truth. */
  length?: bigint;
  raw?: (header: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
}

function draftOf({ tensors, metadata }: ValidFile): Draft {
  const { entries, dataBytes } = layoutOf(tensors, metadata);
  return {
    names: entries.map(({ name }) => JSON.stringify(name)),
    entries: entries.map(
      ({ dtype, shape, begin, end }) =>
        new Map([
          ['"dtype"', JSON.stringify(dtype)],
          ['"shape"', JSON.stringify(shape)],
          ['"data_offsets"', JSON.stringify([begin, end])],
        ]),
    ),
    metadata: JSON.stringify(Object.fromEntries(metadata)),
    before: '',
    after: '',
    dataBytes,
  };
}

function layoutOf(tensors: ValidFile['tensors'], metadata: ValidFile['metadata']) {
  const { entries } = layoutTensors(tensors, metadata);
  return { entries, dataBytes: entries.at(-1)?.end ?? 0 };
}

function bytesOf(draft: Draft): Uint8Array {
  const members = draft.names.map((name, index) => {
    const fields = [...(draft.entries[index] ?? [])].map(([key, value]) => (key === '' ? value : `${key}:${value}`));
    return `${name}:${fields.length === 1 && draft.entries[index]?.has('') ? fields[0] : `{${fields.join(',')}}`}`;
  });
  const text = `${draft.before}{"__metadata__":${draft.metadata},${members.join(',')}}${draft.after}`;
  const encoded = new TextEncoder().encode(text);
  const header = draft.raw?.(encoded) ?? encoded;
  const bytes = new Uint8Array(8 + header.byteLength + draft.dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, draft.length ?? BigInt(header.byteLength), true);
  bytes.set(header, 8);
  return bytes;
}

type Fault = readonly [
  fault: string,
  code: SafetensorsErrorCode,
  /** Damages the draft at the tensor `at`; false where this file has no such place. */
  damage: (draft: Draft, at: number, file: ValidFile) => boolean,
];

function field(key: '"dtype"' | '"shape"' | '"data_offsets"', value: (old: string) => string): Fault[2] {
  return (draft, at) => {
    const fields = draft.entries[at];
    const old = fields?.get(key);
    if (fields === undefined || old === undefined || value(old) === old) return false;
    fields.set(key, value(old));
    return true;
  };
}

const always =
  (change: (draft: Draft, at: number) => void): Fault[2] =>
  (draft, at) => {
    change(draft, at);
    return true;
  };

function set(changes: Partial<Draft>): Fault[2] {
  return always((draft) => void Object.assign(draft, changes));
}

function named(name: string): Fault[2] {
  return always(({ names }, at) => void names.splice(at, 1, name));
}

/** Moves the last tensor that holds bytes: everything before it stays covered. */
function moved(by: number): Fault[2] {
  return (draft) => {
    const at = draft.entries.length - 1;
    const [begin = 0, end = 0]: number[] = JSON.parse(draft.entries[at]?.get('"data_offsets"') ?? '[]');
    if (begin + by < 0 || end === begin || (by < 0 && begin === 0)) return false;
    draft.entries[at]?.set('"data_offsets"', JSON.stringify([begin + by, end + by]));
    draft.dataBytes += by;
    return true;
  };
}

export const FAULTS: readonly Fault[] = [
  ['a field is missing', 'missing-field', always(({ entries }, at) => void entries[at]?.delete('"shape"'))],
  ['a field more', 'unknown-field', always(({ entries }, at) => void entries[at]?.set('"strides"', '[1]'))],
  ['a field twice', 'duplicate-key', always(({ entries }, at) => void entries[at]?.set('"sh\\u0061pe"', '[1]'))],
  [
    'a tensor twice',
    'duplicate-key',
    always((draft, at) => {
      draft.names.push(draft.names[at] ?? '""');
      draft.entries.push(new Map(draft.entries[at]));
    }),
  ],
  [
    'a list for an entry',
    'bad-entry',
    always(({ entries }, at) => {
      entries[at]?.clear();
      entries[at]?.set('', '[]');
    }),
  ],
  ['an unknown dtype', 'unknown-dtype', field('"dtype"', () => '"F33"')],
  ['a dtype by another case', 'unknown-dtype', field('"dtype"', (old) => old.toLowerCase())],
  ['a dtype named like an object member', 'unknown-dtype', field('"dtype"', () => '"constructor"')],
  ['a number for a dtype', 'unknown-dtype', field('"dtype"', () => '7')],
  ['a negative dimension', 'bad-shape', field('"shape"', () => '[-1]')],
  ['a fraction', 'bad-shape', field('"shape"', () => '[1.5]')],
  ['a whole number with a point', 'bad-shape', field('"shape"', () => '[2.0]')],
  ['a number with an exponent', 'bad-shape', field('"shape"', () => '[1e2]')],
  ['a number that no double holds', 'bad-shape', field('"shape"', () => '[9007199254740993]')],
  ['an endless number', 'bad-shape', field('"shape"', () => `[${'9'.repeat(400)}]`)],
  ['a text for a dimension', 'bad-shape', field('"shape"', () => '["2"]')],
  ['too many dimensions', 'bad-shape', field('"shape"', () => `[${'1,'.repeat(64)}1]`)],
  ['a number for a shape', 'bad-shape', field('"shape"', () => '3')],
  ['an immense tensor', 'size-overflow', field('"shape"', () => '[9007199254740991,9007199254740991]')],
  ['terabytes in a small file', 'size-mismatch', field('"shape"', () => '[1000000,1000000,8]')],
  ['offsets that go back', 'bad-offsets', field('"data_offsets"', () => '[8,0]')],
  ['one offset', 'bad-offsets', field('"data_offsets"', () => '[0]')],
  ['three offsets', 'bad-offsets', field('"data_offsets"', () => '[0,8,8]')],
  ['a negative offset', 'bad-offsets', field('"data_offsets"', () => '[-8,0]')],
  ['an offset that no double holds', 'bad-offsets', field('"data_offsets"', () => '[0,18446744073709551615]')],
  ['a hole', 'hole', moved(1)],
  ['an overlap', 'overlap', moved(-1)],
  [
    'a byte too few',
    'truncated',
    (draft) => {
      draft.dataBytes -= 1;
      return draft.dataBytes >= 0;
    },
  ],
  [
    'a byte too many',
    'trailing-data',
    always((draft) => {
      draft.dataBytes += 1;
    }),
  ],
  ['a header that is longer than the file', 'header-beyond-file', set({ length: 99_000_000n })],
  ['an immense header', 'header-too-large', set({ length: 2n ** 64n - 1n })],
  ['a byte order mark', 'header-start', set({ before: '\ufeff' })],
  ['a blank first', 'header-start', set({ before: ' ' })],
  ['text after the header', 'trailing-bytes', set({ after: '  {}' })],
  ['a line break after the header', 'trailing-bytes', set({ after: '\n' })],
  ['half a character', 'invalid-utf8', set({ raw: (header) => header.fill(0xc3, header.length - 1) })],
  ['half a surrogate pair', 'not-json', named('"\\ud800"')],
  ['a control character', 'not-json', named('"\u0001"')],
  ['no quotes', 'not-json', named('name')],
  ['a number as metadata', 'bad-metadata', set({ metadata: '{"a":1}' })],
  ['a list as metadata', 'bad-metadata', set({ metadata: '[]' })],
];

/** Files of `validFiles`, each with one of the faults at one of its tensors. */
export const faultyFiles: fc.Arbitrary<FaultyFile> = fc
  .tuple(
    validFiles.filter(({ tensors }) => tensors.length > 0),
    fc.constantFrom(...FAULTS),
    fc.nat(),
  )
  .map(([file, [fault, code, damage], place]) => {
    const draft = draftOf(file);
    const damaged = damage(draft, place % draft.entries.length, file);
    return damaged ? { fault, code, bytes: bytesOf(draft) } : undefined;
  })
  .filter((made) => made !== undefined);
