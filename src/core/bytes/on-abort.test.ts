import { expect, test, vi } from 'vitest';
import { onAbort } from './on-abort.ts';

test('calls all that wait when the signal fires, once each, and none that left', () => {
  const controller = new AbortController();
  const [first, second, gone] = [vi.fn(), vi.fn(), vi.fn()];
  onAbort(controller.signal, first);
  onAbort(controller.signal, first);
  onAbort(controller.signal, second);
  onAbort(controller.signal, gone)();
  controller.abort();
  expect([first, second, gone].map(({ mock }) => mock.calls.length)).toEqual([2, 1, 0]);
});

test('calls at once when the signal has fired', () => {
  const stop = vi.fn();
  onAbort(AbortSignal.abort(), stop);
  onAbort(undefined, stop);
  expect(stop).toHaveBeenCalledOnce();
});

test('does not call what another one has just ended', () => {
  const controller = new AbortController();
  const second = vi.fn();
  const leave: (() => void)[] = [];
  onAbort(controller.signal, () => leave[0]?.());
  leave.push(onAbort(controller.signal, second));
  controller.abort();
  expect(second).not.toHaveBeenCalled();
});

test('puts a single listener on a signal', () => {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, 'addEventListener');
  for (let count = 0; count < 100; count += 1) onAbort(signal, () => undefined);
  expect(add).toHaveBeenCalledOnce();
});
