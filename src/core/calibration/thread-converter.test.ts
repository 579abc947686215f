import { describe, expect, test } from 'vitest';
import type { LoadedWeight } from '../checkpoint/read-weights.ts';
import { LazyConverter } from './lazy-converter.ts';
import { type ConvertRequest, type ConvertThread, ThreadConverter } from './thread-converter.ts';
import type { WeightStack } from './weight-stack.ts';

/** A square weight of zeros. */
function square(dtype: 'BF16' | 'F32', side: number): WeightStack {
  const bytes = new Uint8Array(side * side * (dtype === 'BF16' ? 2 : 4));
  const shape = [side, side];
  const parts = { weight: { name: 'square', dtype, shape, bytes } };
  const facts = { block: undefined, bits: 16, zeroPointsAsStored: false };
  const weight: LoadedWeight = { name: 'square', shape, scheme: 'plain', parts, ...facts };
  return { weights: [weight] };
}

/** A thread that never answers, and whose death is at hand. */
function deaf(): { readonly thread: ConvertThread; readonly sent: ConvertRequest[]; die(): void } {
  const sent: ConvertRequest[] = [];
  let end: (reason: string) => void = () => {};
  const thread: ConvertThread = {
    post: (request) => void sent.push(request),
    onReply: (listener) => listener({ kind: 'ready' }),
    onEnd: (listener) => {
      end = listener;
    },
    terminate() {},
  };
  return { thread, sent, die: () => end('killed') };
}

describe('a converter whose thread dies', () => {
  test('fails what was under way and decodes the rest in place', async () => {
    const { thread, sent, die } = deaf();
    const converter = await ThreadConverter.start(thread);
    const waiting = converter.convert([square('BF16', 256)]);
    die();
    await expect(waiting).rejects.toMatchObject({ family: 'backend', code: 'converter-lost' });
    expect((await converter.convert([square('BF16', 256)])).arrays[0]).toHaveLength(65_536);
    expect(sent).toHaveLength(1);
  });

  test('F32 and small weights are never sent', async () => {
    const { thread, sent } = deaf();
    const converter = await ThreadConverter.start(thread);
    const { arrays } = await converter.convert([square('F32', 512), square('BF16', 64)]);
    expect(arrays.map(({ length }) => length)).toEqual([512 * 512, 64 * 64]);
    expect(sent).toHaveLength(0);
  });

  test('one that does not answer in time is given up', async () => {
    const { thread } = deaf();
    const silent = { ...thread, onReply() {} };
    await expect(ThreadConverter.start(silent, 5)).rejects.toMatchObject({ code: 'converter-lost' });
  });
});

describe('a converter that starts its thread late', () => {
  test('has none for F32 or small weights, decodes the first ones in place, and hands over the others', async () => {
    const { thread, sent } = deaf();
    let started = 0;
    const converter = new LazyConverter(
      () => {
        started += 1;
        return ThreadConverter.start(thread);
      },
      () => {},
    );
    await converter.convert([square('F32', 512), square('BF16', 64)]);
    expect(started).toBe(0);
    expect((await converter.convert([square('BF16', 256)])).arrays[0]).toHaveLength(65_536);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const handed = converter.convert([square('BF16', 256)]);
    expect([started, sent.length]).toEqual([1, 1]);
    converter.close();
    await expect(handed).rejects.toMatchObject({ code: 'converter-lost' });
  });

  test('tells once when there will be none, and goes on in place', async () => {
    const told: unknown[] = [];
    const converter = new LazyConverter(
      async () => Promise.reject(new Error('none')),
      (error) => told.push(error),
    );
    for (let run = 0; run < 3; run++) expect((await converter.convert([square('BF16', 256)])).arrays).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(told).toEqual([new Error('none')]);
  });
});
