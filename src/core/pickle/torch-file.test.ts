import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStudioError } from '../base/errors.ts';
import type { ByteSource } from '../bytes/byte-source.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import type { PickleValue } from './pickle-value.ts';
import { fixtureFile, type Piece, pickleOf, tensorOps, textOp, torchFile } from './torch-file.fixture.ts';
import { openTorchFile, type TorchFile } from './torch-file.ts';
import { TorchTensor } from './torch-tensor.ts';

const PROTO = [0x80, 2];
const STOP = 0x2e;

const open = (bytes: Uint8Array<ArrayBuffer>, name = 'x.pt') => openTorchFile(new MemorySource(name, bytes));
const made = (...pieces: readonly Piece[]) => openTorchFile(torchFile(pickleOf(PROTO, ...pieces, STOP)));

function mapOf(value: PickleValue | undefined): ReadonlyMap<unknown, PickleValue> {
  if (!(value instanceof Map)) throw new Error('no dict');
  return value;
}

async function tensorsOf(file: TorchFile): Promise<Record<string, unknown>> {
  const entries = [...mapOf(mapOf(file.value).get('tensors'))].map(async ([name, tensor]) => {
    if (!(tensor instanceof TorchTensor)) throw new Error(`${String(name)} is no tensor`);
    return [name, { shape: tensor.shape, numbers: [...(await file.readTensor(tensor))] }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const EXPECTED = JSON.parse(readFileSync(new URL('fixtures/tensors.json', import.meta.url), 'utf8'));

describe('files that torch wrote', () => {
  it.each(['protocol-2', 'protocol-3', 'protocol-4', 'protocol-5', 'deflated'])(
    '%s: every tensor as torch reads it',
    async (name) => {
      expect(await tensorsOf(await open(fixtureFile(`${name}.pt`)))).toEqual(EXPECTED);
    },
  );

  it('keeps containers, numbers and texts', async () => {
    const { value } = await open(fixtureFile('protocol-4.pt'));
    const plain = mapOf(mapOf(value).get('plain'));
    expect(plain.get('numbers')).toEqual([0, 1, -1, 255, 256, 65536, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, 0.5, -1e-300]);
    expect(plain.get('texts')).toEqual(['', 'größe', '漢字 🦀']);
    expect(plain.get('words')).toEqual([null, true, false]);
    expect(plain.get('nested')).toEqual(new Map([[3, new Map([['a', [new Map([['b', [1, [2, 3]]]])]]])]]));
    expect(plain.get('ordered')).toEqual(new Map());
    expect(plain.get('__proto__')).toEqual(new Map([['toString', 1]]));
  });

  it('reads no tensor before it is asked for', async () => {
    const bytes = fixtureFile('protocol-2.pt');
    const whole = new MemorySource('x.pt', bytes);
    const reads: number[] = [];
    const source: ByteSource = {
      name: 'x.pt',
      size: bytes.byteLength,
      read: (offset, length) => {
        reads.push(offset);
        return whole.read(offset, length);
      },
    };
    const file = await openTorchFile(source);
    const before = reads.length;
    const tensor = mapOf(mapOf(file.value).get('tensors')).get('f64');
    expect(tensor).toBeInstanceOf(TorchTensor);
    if (tensor instanceof TorchTensor) await file.readTensor(tensor);
    expect(reads.length).toBeGreaterThan(before);
  });

  it.each([
    ['before-1.6.pt', 'unsupported-torch-file', 'before 1.6'],
    ['parameter.pt', 'unsafe-pickle', 'torch._utils._rebuild_parameter'],
  ])('%s: %s', async (name, code, words) => {
    await expect(open(fixtureFile(name))).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });
});

describe('hostile pickles', () => {
  it.each([
    ['os.system by REDUCE', ['cos\nsystem\n', textOp('echo 1'), 0x85, 0x52], 'os.system'],
    ['posix.system by STACK_GLOBAL', [textOp('posix'), textOp('system'), 0x93], 'posix.system'],
    ['eval of builtins', ['cbuiltins\neval\n'], 'builtins.eval'],
    ['a storage type that is called', ['ctorch\nFloatStorage\n', 0x29, 0x52], 'torch.FloatStorage'],
    ['a number that is called', [0x4b, 1, 0x29, 0x52], 'no function'],
    ['a new object', ['ccollections\nOrderedDict\n', 0x29, 0x81], 'make an object'],
    ['an object’s state', [0x7d, 0x7d, 0x62], 'state'],
    ['an old-style instance', [0x28, 'ios\nsystem\n'], 'make an object'],
    ['an extension', [0x82, 1], 'extension'],
    ['a name with control characters', ['cos\u0007\nsys\u001btem\n'], 'os?.sys?tem'],
  ])('%s is refused by name', async (_what, pieces, words) => {
    await expect(made(...pieces)).rejects.toMatchObject({
      code: 'unsafe-pickle',
      message: expect.stringContaining(words),
    });
  });

  it.each([
    ['a textual number', ['I1\n'], 'instruction 0x49'],
    ['a set', [0x8f], 'instruction 0x8f'],
    ['a number beyond doubles', [0x8a, 8, [255, 255, 255, 255, 255, 255, 255, 127]], 'too large'],
    ['a number of 200 bytes', [0x8a, 200, Array<number>(200).fill(1)], 'too large'],
    ['a dict with a list for a key', [0x7d, 0x5d, 0x4b, 1, 0x73], 'keys'],
  ])('%s is not read', async (_what, pieces, words) => {
    await expect(made(...pieces)).rejects.toMatchObject({
      code: 'unsupported-torch-file',
      message: expect.stringContaining(words),
    });
  });

  it.each([
    ['a text longer than the file', [0x58, [255, 255, 255, 127], 'abc']],
    ['a text of 2^63 bytes', [0x8d, [0, 0, 0, 0, 0, 0, 0, 128]]],
    ['an empty stack', [0x30]],
    ['a mark that is not there', [0x74]],
    ['a pop through a mark', [0x4b, 1, 0x28, 0x30, 0x74]],
    ['values left over', [0x4b, 1, 0x4b, 2]],
    ['an unknown memory', [0x68, 9]],
    ['an item of a list', [0x5d, 0x4b, 1, 0x4b, 2, 0x73]],
    ['a line without end', ['cos']],
    ['a foreign persistent id', [0x4b, 1, 0x51]],
    ['a tensor beyond its storage', [tensorOps(4, 1, [2, 2], [2, 1])]],
    ['a tensor without strides', [tensorOps(4, 0, [4], [])]],
  ])('%s is damage', async (_what, pieces) => {
    await expect(made(...pieces)).rejects.toMatchObject({ code: 'damaged-torch-file' });
  });

  it('neither deep nesting nor a flood of lists cost more than their bytes', async () => {
    const deep = new Uint8Array(40_003).fill(0x5d);
    deep.set(PROTO);
    deep.fill(0x61, 20_002, 40_001);
    deep[40_001] = 0x30;
    deep[40_002] = STOP;
    await expect(openTorchFile(torchFile(deep))).rejects.toMatchObject({ code: 'damaged-torch-file' });
    const flood = new Uint8Array(1_000_000).fill(0x5d);
    flood.set(PROTO);
    await expect(openTorchFile(torchFile(flood))).rejects.toMatchObject({ code: 'unsupported-torch-file' });
    const doubled = Array.from({ length: 60 }, (_, index) => [0x28, 0x68, index, 0x68, index, 0x74, 0x71, index + 1]);
    const { value } = await made(0x5d, [0x71, 0], 0x30, ...doubled.flatMap((ops) => [ops, 0x30]), 0x68, 60);
    expect(value).toHaveLength(2);
  });

  it('a tensor of a huge shape is not allocated', async () => {
    const file = await made(tensorOps(1, 0, [255, 255, 255, 255, 255], [0, 0, 0, 0, 0]));
    if (!(file.value instanceof TorchTensor)) throw new Error('no tensor');
    await expect(file.readTensor(file.value)).rejects.toMatchObject({ code: 'unsupported-torch-file' });
  });

  it('a storage that is shorter than it says, or not there, is damage', async () => {
    const pickle = pickleOf(PROTO, tensorOps(4, 0, [4], [1]), STOP);
    for (const storages of [{ 0: new Uint8Array(31) }, {}]) {
      const file = await openTorchFile(torchFile(pickle, storages));
      if (!(file.value instanceof TorchTensor)) throw new Error('no tensor');
      await expect(file.readTensor(file.value)).rejects.toMatchObject({ code: 'damaged-torch-file' });
    }
  });
});

/** Opens and reads everything; true when all of it was read, false when it was refused as it should be. */
async function readAll(bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    await tensorsOf(await open(bytes));
    return true;
  } catch (error) {
    if (isStudioError(error, 'calibration')) return false;
    if (error instanceof Error && /^no dict|is no tensor$/.test(error.message)) return false;
    throw error;
  }
}

describe('damaged files', () => {
  it.each(['protocol-2.pt', 'protocol-4.pt', 'deflated.pt'])('%s cut off anywhere is refused', async (name) => {
    const whole = fixtureFile(name);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.byteLength - 1 }), async (length) => {
        expect(await readAll(whole.slice(0, length))).toBe(false);
      }),
      { numRuns: 100, seed: 710 },
    );
  });

  it('with bytes changed anywhere gives a typed error, or the numbers that torch reads', async () => {
    const whole = fixtureFile('protocol-2.pt');
    let same = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: whole.byteLength - 1 }), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        }),
        async (changes) => {
          const bytes = whole.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          if (!(await readAll(bytes))) return;
          same++;
          expect(await tensorsOf(await open(bytes))).toEqual(EXPECTED);
        },
      ),
      { numRuns: 300, seed: 711 },
    );
    expect(same, 'padding can change without harm').toBeGreaterThan(0);
  });

  it('any bytes at all as a pickle end in a value or a typed error', async () => {
    const opcodes = fc.constantFrom(
      ...[0x28, 0x29, 0x30, 0x31, 0x4b, 0x51, 0x52, 0x5d, 0x61, 0x65, 0x68, 0x71, 0x73, 0x74, 0x75, 0x7d, 0x85, 0x94],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(opcodes, fc.integer({ min: 0, max: 255 })), { maxLength: 60 }),
        async (bytes) => {
          try {
            await made(bytes);
          } catch (error) {
            if (!isStudioError(error, 'calibration')) throw error;
          }
        },
      ),
      { numRuns: 2000, seed: 712 },
    );
  });
});
