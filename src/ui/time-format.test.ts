import { expect, it } from 'vitest';
import { formatAgo } from './time-format.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it.each([
  [0, 'just now'],
  [-5000, 'just now'],
  [59_000, 'just now'],
  [MINUTE, '1 minute ago'],
  [59 * MINUTE, '59 minutes ago'],
  [HOUR, '1 hour ago'],
  [23.9 * HOUR, '23 hours ago'],
  [DAY, 'yesterday'],
  [6 * DAY, '6 days ago'],
  [7 * DAY, 'last week'],
  [45 * DAY, 'last month'],
  [800 * DAY, '2 years ago'],
])('says %d ms as %j', (elapsed, text) => expect(formatAgo(1e12, 1e12 + elapsed)).toBe(text));
