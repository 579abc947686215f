import { expect, it } from 'vitest';
import { destinationsFor } from './destination.ts';

it.each([
  [30e6, true, ['zip', 'directory']],
  [30e6, false, ['zip']],
  [2e9, true, ['directory']],
  [2e9, false, []],
])('offers for %d bytes, picker %s: %j', (bytes, picker, kinds) => {
  expect(destinationsFor(bytes, picker)).toEqual(kinds);
});
