import { expect, it } from 'vitest';
import { StudioError } from '../core/base/errors.ts';
import { runWithEvents } from './event-run.ts';

interface TestEvent {
  readonly type: 'progress' | 'done';
}

async function collect(start: (port: MessagePort) => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  await runWithEvents<TestEvent>(start, (event) =>
    seen.push('error' in event ? `${event.type} ${event.error.code}` : event.type),
  );
  return seen;
}

it('waits for the last event, which may come after the answer', async () => {
  const seen = await collect(async (port) => {
    setTimeout(() => {
      for (const type of ['progress', 'done']) port.postMessage({ type });
      port.close();
    }, 20);
  });
  expect(seen).toEqual(['progress', 'done']);
});

it('passes nothing on after the last event', async () => {
  const seen = await collect(async (port) => {
    for (const type of ['done', 'progress', 'done']) port.postMessage({ type });
    await new Promise((resolve) => setTimeout(resolve, 40));
    port.close();
  });
  expect(seen).toEqual(['done']);
});

it('ends a run whose worker died as failed, and one that was cancelled as cancelled', async () => {
  const dies = (code: string) => () =>
    Promise.reject(new StudioError('internal', code, 'gone', { nextStep: 'Try again.' }));
  expect(await collect(dies('worker-failed'))).toEqual(['failed worker-failed']);
  expect(await collect(dies('cancelled'))).toEqual(['cancelled']);
});

it('ends a run that fell silent', async () => {
  expect(await collect(async (port) => port.close())).toEqual(['failed unexpected']);
});
