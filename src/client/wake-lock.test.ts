import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepAwake } from './wake-lock.ts';

const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
let held = 0;
let asked = 0;

beforeEach(() => {
  held = 0;
  asked = 0;
  page.visibilityState = 'visible';
  vi.stubGlobal('document', page);
  const request = async () => {
    asked++;
    held++;
    return {
      release: async () => {
        held--;
      },
    };
  };
  vi.stubGlobal('navigator', { wakeLock: { request } });
});

afterEach(() => vi.unstubAllGlobals());

const moment = () => new Promise((resolve) => setTimeout(resolve, 0));

it('holds the lock while the work runs, takes it again when the page is seen again, and lets it go', async () => {
  const answer = await keepAwake(async () => {
    await moment();
    expect([asked, held]).toEqual([1, 1]);
    // The browser takes the lock back from a page that is hidden.
    held--;
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    await moment();
    expect(asked).toBe(1);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    await moment();
    expect([asked, held]).toEqual([2, 1]);
    return 'done';
  });
  await moment();
  expect([answer, held]).toEqual(['done', 0]);
  page.dispatchEvent(new Event('visibilitychange'));
  expect(asked).toBe(2);
});

it('lets the lock go when the work fails, and when the lock comes too late', async () => {
  await expect(keepAwake(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await moment();
  expect([asked, held]).toEqual([1, 0]);
});

it('works where the browser gives no lock', async () => {
  vi.stubGlobal('navigator', { wakeLock: { request: () => Promise.reject(new Error('battery')) } });
  expect(await keepAwake(async () => 1)).toBe(1);
  vi.stubGlobal('navigator', {});
  expect(await keepAwake(async () => 2)).toBe(2);
});
