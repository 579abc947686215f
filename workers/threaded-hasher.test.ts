import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { type HashChannel, serveHashing } from './hash-thread.ts';
import { threadedHashing } from './threaded-hasher.ts';

const opened: MessagePort[] = [];

afterEach(() => {
  for (const port of opened.splice(0)) port.close();
});

/** Both ends of a thread, with the messages between them counted. */
function thread(): { readonly near: HashChannel; readonly far: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  opened.push(port1, port2);
  return { near: port1, far: port2 };
}

function hashing() {
  return threadedHashing(() => {
    const { near, far } = thread();
    serveHashing(far);
    return near;
  });
}

const bytes = new Uint8Array(100_003).map((_, index) => (index * 31) % 253);
const sha256 = (from: number, to: number): string =>
  createHash('sha256').update(bytes.subarray(from, to)).digest('hex');
const extents = [
  { name: 'a', offset: 100, byteLength: 60_000 },
  { name: 'empty', offset: 60_100, byteLength: 0 },
  { name: 'b', offset: 60_100, byteLength: 39_903 },
];
const expected = {
  sha256: sha256(0, bytes.length),
  tensors: new Map([
    ['a', sha256(100, 60_100)],
    ['empty', sha256(0, 0)],
    ['b', sha256(60_100, 100_003)],
  ]),
};

it.each([[1000], [60_100], [200_000]])(
  'hashes file and tensors in pieces of %i bytes, whose memory is used again',
  async (pieceBytes) => {
    const hasher = await hashing()(extents);
    const piece = new Uint8Array(pieceBytes);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const part = bytes.subarray(at, at + pieceBytes);
      piece.set(part);
      await hasher.update(piece.subarray(0, part.length));
      piece.fill(0);
    }
    expect(await hasher.digest()).toEqual(expected);
  },
);

it('hashes one file after another, also after one that was given up', async () => {
  const open = hashing();
  const given = await open([{ name: 'x', offset: 0, byteLength: 5000 }]);
  await given.update(bytes.slice(0, 3000));
  for (let file = 0; file < 2; file++) {
    const hasher = await open(extents);
    await hasher.update(bytes.slice());
    expect(await hasher.digest()).toEqual(expected);
  }
});

it('hashes a file without tensors where it is', async () => {
  const open = threadedHashing(() => {
    throw new Error('no thread is needed');
  });
  const hasher = await open([]);
  await hasher.update(bytes.slice());
  expect(await hasher.digest()).toEqual({ sha256: expected.sha256, tensors: new Map() });
});

it('says that a thread died instead of waiting for it', async () => {
  const failures: ((error: Error) => void)[] = [];
  const open = threadedHashing((onFailure) => {
    failures.push(onFailure);
    return thread().near;
  });
  const hasher = await open(extents);
  const waiting = Promise.resolve(hasher.update(bytes.slice(0, 10))).then(() => hasher.digest());
  for (const fail of failures) fail(new Error('it ran out of memory'));
  await expect(waiting).rejects.toThrow('it ran out of memory');
  await expect(hasher.update(bytes.slice(0, 10))).rejects.toThrow('it ran out of memory');
});

it('passes on what went wrong in the thread', async () => {
  const open = threadedHashing(() => {
    const { near, far } = thread();
    far.onmessage = ({ data }) => {
      if (data.type === 'bytes') far.postMessage({ type: 'failed', message: 'no memory' });
    };
    return near;
  });
  const hasher = await open(extents);
  await hasher.update(bytes.slice(0, 10));
  await expect(hasher.digest()).rejects.toThrow('no memory');
});
