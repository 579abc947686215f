import { describe, expect, test } from 'vitest';
import { readRangeBody } from './range-body.ts';

const EXPECTED = { name: 'a', url: 'https://content/a', first: 10, last: 19, size: 1000 };
const BODY = Uint8Array.from({ length: 10 }, (_, index) => index + 1);

/** An answer of status 206 as a script sees it. */
function answer(type: Response['type'], headers: Record<string, string>): Response {
  return Object.defineProperty(new Response(BODY, { status: 206, headers }), 'type', { value: type });
}

async function read(response: Response): Promise<number[]> {
  const bytes: number[] = [];
  expect(
    await readRangeBody(
      response,
      EXPECTED,
      (chunk) => bytes.push(...chunk),
      () => undefined,
    ),
  ).toBe('done');
  return bytes;
}

describe('a part without a Content-Range', () => {
  test.each([{}, { 'Content-Length': '10' }] as Record<string, string>[])(
    'is believed where another origin may have kept the header from the script: %j',
    async (headers) => expect(await read(answer('cors', headers))).toEqual([...BODY]),
  );

  test.each([
    ['basic', {}],
    ['default', { 'Content-Length': '10' }],
    ['cors', { 'Content-Length': '9' }],
    ['cors', { 'Content-Range': 'bytes 11-20/1000' }],
    ['cors', { 'Content-Range': 'nonsense' }],
  ] as [Response['type'], Record<string, string>][])(
    'is refused elsewhere, or when it is not what was asked for: %s %j',
    async (type, headers) => {
      await expect(read(answer(type, headers))).rejects.toMatchObject({ family: 'source', code: 'bad-range' });
    },
  );
});
