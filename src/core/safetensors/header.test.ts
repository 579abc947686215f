import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { StudioError } from '../base/errors.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import { parseHeader, readHeader } from './header.ts';
import { MAX_HEADER_BYTES } from './limits.ts';
import type { SafetensorsErrorCode } from './refusals.ts';

const CRAFTED = z
  .object({ cases: z.array(z.tuple([z.string(), z.boolean(), z.string()])) })
  .parse(JSON.parse(readFileSync(new URL('fixtures/crafted.json', import.meta.url), 'utf8')));

/** What each crafted file is refused with here; `null` is accepted. */
const VERDICTS: Readonly<Record<string, SafetensorsErrorCode | null>> = {
  valid: null,
  'valid-spaces-inside': null,
  'valid-padding': null,
  'valid-scalar': null,
  'valid-empty-tensor': null,
  'valid-no-tensors': null,
  'valid-escaped-key': null,
  'valid-six-bits': null,
  'too-short': 'too-short',
  empty: 'too-short',
  'header-too-large': 'header-too-large',
  'header-length-huge': 'header-too-large',
  'header-beyond-file': 'header-beyond-file',
  'no-header': 'header-start',
  'invalid-utf8': 'invalid-utf8',
  'overlong-utf8': 'invalid-utf8',
  'surrogate-utf8': 'invalid-utf8',
  'leading-space': 'header-start',
  'byte-order-mark': 'header-start',
  'root-array': 'header-start',
  'root-string': 'header-start',
  'trailing-newline': 'trailing-bytes',
  'trailing-zero': 'trailing-bytes',
  'trailing-object': 'trailing-bytes',
  'cut-json': 'not-json',
  'trailing-comma': 'not-json',
  'no-comma': 'not-json',
  'no-colon': 'not-json',
  'bare-key': 'not-json',
  'single-quotes': 'not-json',
  comment: 'not-json',
  'control-in-string': 'not-json',
  'bad-escape': 'not-json',
  'short-escape': 'not-json',
  'lone-surrogate': 'not-json',
  'lone-low-surrogate': 'not-json',
  'leading-zero': 'not-json',
  'plus-sign': 'not-json',
  'hex-number': 'not-json',
  'nan-number': 'not-json',
  'deep-nesting': 'bad-entry',
  'duplicate-tensor': 'duplicate-key',
  'duplicate-tensor-escaped': 'duplicate-key',
  'duplicate-field': 'duplicate-key',
  'duplicate-metadata': 'duplicate-key',
  'duplicate-metadata-key': 'duplicate-key',
  'entry-string': 'bad-entry',
  'entry-null': 'bad-entry',
  'entry-array': 'bad-entry',
  'unknown-field': 'unknown-field',
  'no-dtype': 'missing-field',
  'no-shape': 'missing-field',
  'no-offsets': 'missing-field',
  'unknown-dtype': 'unknown-dtype',
  'lower-case-dtype': 'unknown-dtype',
  'dtype-number': 'unknown-dtype',
  'inherited-dtype': 'unknown-dtype',
  'negative-dimension': 'bad-shape',
  'minus-zero-dimension': 'bad-shape',
  'fraction-dimension': 'bad-shape',
  'exponent-dimension': 'bad-shape',
  'string-dimension': 'bad-shape',
  'null-dimension': 'bad-shape',
  'shape-number': 'bad-shape',
  'dimension-beyond-u64': 'bad-shape',
  'dimension-beyond-double': 'bad-shape',
  'sixty-five-dimensions': 'bad-shape',
  'product-overflow': 'size-overflow',
  'bytes-overflow': 'bad-shape',
  'offsets-reversed': 'bad-offsets',
  'offsets-one': 'bad-offsets',
  'offsets-three': 'bad-offsets',
  'offsets-negative': 'bad-offsets',
  'offsets-fraction': 'bad-offsets',
  'offsets-huge': 'bad-offsets',
  'size-mismatch': 'size-mismatch',
  'empty-shape-mismatch': 'size-mismatch',
  'half-byte': 'partial-byte',
  'six-bits': 'partial-byte',
  'hole-first': 'hole',
  'hole-between': 'hole',
  overlap: 'overlap',
  'same-bytes': 'overlap',
  truncated: 'truncated',
  'no-data': 'truncated',
  'trailing-data': 'trailing-data',
  'data-without-tensors': 'trailing-data',
  'metadata-number': 'bad-metadata',
  'metadata-nested': 'bad-metadata',
  'metadata-null': 'bad-metadata',
  'metadata-tensor': 'bad-metadata',
  'git-lfs-pointer': 'lfs-pointer',
  'web-page': 'html-page',
};

function refusalOf(file: Uint8Array, name = 'crafted.safetensors'): StudioError | null {
  try {
    parseHeader(file, file.byteLength, name);
    return null;
  } catch (error) {
    if (error instanceof StudioError) return error;
    throw error;
  }
}

function fileOf(json: string, dataBytes = 0): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(json);
  const file = new Uint8Array(8 + header.byteLength + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.byteLength), true);
  file.set(header, 8);
  return file;
}

const entry = (begin: number, end: number): string =>
  `{"dtype":"U8","shape":[${end - begin}],"data_offsets":[${begin},${end}]}`;

describe('crafted files', () => {
  test('every one has its verdict here', () => {
    expect(CRAFTED.cases.map(([name]) => name).sort()).toEqual(Object.keys(VERDICTS).sort());
  });

  test.each(CRAFTED.cases)('%s', (name, acceptedByLibrary, base64) => {
    const refusal = refusalOf(Buffer.from(base64, 'base64'));
    expect(refusal?.code ?? null).toBe(VERDICTS[name]);
    if (!acceptedByLibrary) expect(refusal).not.toBeNull();
    if (refusal === null) return;
    expect(refusal).toMatchObject({ family: 'safetensors', details: { file: 'crafted.safetensors' } });
    expect(refusal.message).toMatch(/^"crafted\.safetensors" .+\.$/s);
    expect(refusal.nextStep).toMatch(/^[A-Z].+\.$/s);
  });
});

describe('parseHeader', () => {
  test('gives the tensors in the order of their bytes, whatever the order of their names in the header', () => {
    const json = `{"b":${entry(3, 7)},"empty":${entry(3, 3)},"a":${entry(0, 3)},"__metadata__":{"format":"pt"}}`;
    const header = parseHeader(fileOf(json, 7), 8 + json.length + 7, 'x');
    expect(header).toEqual({
      metadata: new Map([['format', 'pt']]),
      tensors: [
        { name: 'a', dtype: 'U8', shape: [3], begin: 0, end: 3 },
        { name: 'empty', dtype: 'U8', shape: [0], begin: 3, end: 3 },
        { name: 'b', dtype: 'U8', shape: [4], begin: 3, end: 7 },
      ],
      dataOffset: 8 + json.length,
    });
  });

  test('takes a tensor that is called like a property of every object', () => {
    const json = `{"__proto__":${entry(0, 1)},"constructor":${entry(1, 2)}}`;
    const { tensors } = parseHeader(fileOf(json, 2), 8 + json.length + 2, 'x');
    expect(tensors.map((tensor) => tensor.name)).toEqual(['__proto__', 'constructor']);
  });

  test('names the tensor at fault and the bytes that are missing', () => {
    const json = `{"a":${entry(0, 3)},"model.norm.weight":${entry(4, 7)}}`;
    expect(refusalOf(fileOf(json, 7))?.details).toMatchObject({ tensor: 'model.norm.weight', bytes: 1 });
    const whole = fileOf(`{"a":${entry(0, 100)}}`, 100);
    const cut = refusalOf(whole.subarray(0, whole.byteLength - 30), 'model-00001-of-00003.safetensors');
    expect(cut?.message).toBe(
      '"model-00001-of-00003.safetensors" is cut off: 30 of its 100 bytes of tensors are missing.',
    );
  });

  test('repeats only the beginning of an endless name', () => {
    const refusal = refusalOf(fileOf(`{"${'n'.repeat(100_000)}":1}`));
    expect(refusal?.code).toBe('bad-entry');
    expect(refusal?.message.length).toBeLessThan(300);
  });

  test('refuses bytes that end before the header does, though the file goes on', () => {
    const file = fileOf(`{"a":${entry(0, 4)}}`, 4);
    expect(() => parseHeader(file.subarray(0, 20), file.byteLength, 'x')).toThrow(
      expect.objectContaining({ code: 'header-beyond-file' }),
    );
  });

  test('reads the header of a view that begins inside its buffer', () => {
    const file = fileOf(`{"a":${entry(0, 4)}}`, 4);
    const shifted = new Uint8Array(file.byteLength + 3);
    shifted.set(file, 3);
    expect(parseHeader(shifted.subarray(3), file.byteLength, 'x').tensors).toHaveLength(1);
  });

  test('recognises a pointer and a page that are longer than a header may be', () => {
    const page = new TextEncoder().encode(`\uFEFF\n  <html lang="en">${' '.repeat(1000)}`);
    expect(refusalOf(page)?.code).toBe('html-page');
  });
});

/** A MemorySource that writes down what is read of it. */
class RecordingSource extends MemorySource {
  readonly reads: (readonly [offset: number, length: number])[] = [];

  override async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    this.reads.push([offset, length]);
    return super.read(offset, length, signal);
  }
}

describe('readHeader', () => {
  const many = (count: number): string =>
    `{${Array.from({ length: count }, (_, i) => `"layer.${i}":${entry(i, i + 1)}`).join(',')}}`;

  test('reads the length, then the rest of the header, and never the tensors', async () => {
    const short = new RecordingSource('short', fileOf(`{"a":${entry(0, 100_000)}}`, 100_000));
    expect((await readHeader(short)).tensors).toHaveLength(1);
    expect(short.reads.map(([offset, length]) => offset + length)).toEqual([
      64,
      8 + `{"a":${entry(0, 100_000)}}`.length,
    ]);
    const json = many(1000);
    const long = new RecordingSource('long', fileOf(json, 1000));
    expect((await readHeader(long)).tensors).toHaveLength(1000);
    expect(long.reads).toEqual([
      [0, 64],
      [64, 8 + json.length - 64],
    ]);
  });

  test('reads no further when the length is beyond the ceiling or the file', async () => {
    const file = fileOf(`{"a":${entry(0, 4)}}`, 50_000);
    for (const [length, code] of [
      [MAX_HEADER_BYTES + 1, 'header-too-large'],
      [60_000, 'header-beyond-file'],
      [file.byteLength - 7, 'header-beyond-file'],
    ] as const) {
      new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
      const source = new RecordingSource('x', file);
      await expect(readHeader(source)).rejects.toMatchObject({ code });
      expect(source.reads).toHaveLength(1);
    }
  });

  test('refuses an empty file and stops when it is told to', async () => {
    await expect(readHeader(new MemorySource('x', new Uint8Array(0)))).rejects.toMatchObject({ code: 'too-short' });
    const signal = AbortSignal.abort();
    await expect(readHeader(new MemorySource('x', fileOf('{}')), signal)).rejects.toBe(signal.reason);
  });
});
