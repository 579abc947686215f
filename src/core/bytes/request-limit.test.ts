import { expect, test } from 'vitest';
import { RequestLimit } from './request-limit.ts';

/** A task that runs until it is told how to end. */
function task(): { run(): Promise<string>; end(): void; fail(): void; readonly started: () => boolean } {
  let started = false;
  let end = (): void => undefined;
  let fail = (): void => undefined;
  const over = new Promise<string>((resolve, reject) => {
    end = () => resolve('done');
    fail = () => reject(new Error('failed'));
  });
  return {
    run: () => {
      started = true;
      return over;
    },
    end: () => end(),
    fail: () => fail(),
    started: () => started,
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

test('runs so many at once and the rest in order', async () => {
  const limit = new RequestLimit(2);
  const tasks = [task(), task(), task(), task(), task()];
  const results = tasks.slice(0, 4).map(({ run }) => limit.run(run));
  await turn();
  expect(tasks.map(({ started }) => started())).toEqual([true, true, false, false, false]);
  tasks[1]?.end();
  await turn();
  const late = limit.run(tasks[4]?.run ?? task().run);
  await turn();
  expect(tasks.map(({ started }) => started())).toEqual([true, true, true, false, false]);
  for (const { end } of tasks) end();
  expect(await Promise.all([...results, late])).toEqual(Array(5).fill('done'));
});

test('gives the place of a task that failed to the next', async () => {
  const limit = new RequestLimit(1);
  const [first, second] = [task(), task()];
  const failing = limit.run(first.run);
  const next = limit.run(second.run);
  first.fail();
  await expect(failing).rejects.toThrow('failed');
  second.end();
  expect(await next).toBe('done');
});

test('lets a task leave the line, and keeps its place for no one', async () => {
  const limit = new RequestLimit(1);
  const [first, second, third] = [task(), task(), task()];
  const running = limit.run(first.run);
  const controller = new AbortController();
  const leaving = limit.run(second.run, controller.signal);
  const last = limit.run(third.run);
  controller.abort(new Error('enough'));
  await expect(leaving).rejects.toThrow('enough');
  first.end();
  third.end();
  expect(await Promise.all([running, last])).toEqual(['done', 'done']);
  expect(second.started()).toBe(false);
  const after = task();
  after.end();
  expect(await limit.run(after.run)).toBe('done');
});
