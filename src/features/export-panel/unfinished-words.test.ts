import { expect, it } from 'vitest';
import { roomAdvice } from './destination.ts';
import { unfinishedWords } from './unfinished-words.ts';

const folder = { name: 'pruned' };

it('says how much is kept and how much is missing', () => {
  expect(unfinishedWords({ folder, bytesKept: 4e9, bytesTotal: 10e9 })).toBe(
    '4.00 GB of 10.0 GB are finished and kept in "pruned"; 6.00 GB are missing.',
  );
  expect(unfinishedWords({ folder, bytesKept: 0, bytesTotal: 10e9 })).toBe(
    'All 10.0 GB are still to be written into "pruned".',
  );
  expect(unfinishedWords({ folder, bytesKept: 0, bytesTotal: 0 })).toBe('Nothing more was written into "pruned".');
});

it('says what room an export takes', () => {
  expect(roomAdvice('directory', 30e9)).toBe('Needs 30.0 GB free on that disk, and an empty folder.');
  expect(roomAdvice('zip', 30e6)).toBe("Takes 60.0 MB of the browser's own storage until it is packed.");
});
